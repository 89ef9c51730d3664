"""Host names and ports, as the endpoints of DNS clusters are written: db.example:5432.

Names are ASCII: one in another script is written in its encoded form (xn--...).
"""

from __future__ import annotations

import re

from msgspec import Struct

from mesh_core.config.address import Address, AddressError, NotAnIPAddress, parse_address, parse_port
from mesh_core.config.schema import Cluster
from mesh_core.config.schema.endpoint import as_endpoint
from mesh_core.config.wording import quoted

DNS_PORT = 53
NAME_LIMIT_CHARACTERS = 253
"""Characters of a host name without its last dot (RFC 1035 section 2.3.4 allows 255 bytes in a packet)."""

# An underscore is in no host name by RFC 952, and in many by use.
_LABEL = re.compile(r"[A-Za-z0-9_]([A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?")


class HostName(Struct, frozen=True):
    """A name that DNS has the addresses of, and a port. In lower case; a dot at the end means: no search domains."""

    host: str
    port: int

    def __str__(self) -> str:
        return f"{self.host}:{self.port}"


def is_host_name(name: str) -> bool:
    """Whether `name` is a host name without a dot at its end."""
    return len(name) <= NAME_LIMIT_CHARACTERS and all(map(_LABEL.fullmatch, name.split(".")))


def parse_endpoint(text: str) -> Address | HostName:
    """The address, or the host name and the port, that `text` writes. Raises AddressError."""
    try:
        return parse_address(text)
    except NotAnIPAddress as error:
        host, port = error.host, error.port
    if not is_host_name(host.removesuffix(".")):
        hint = "labels of 1 to 63 of A-Z a-z 0-9 _ - with dots between, 253 characters at most"
        raise AddressError(f"not a host name: {quoted(host)}", hint)
    return HostName(host.lower(), parse_port(port, text))


def parse_resolver(text: str) -> Address:
    """The address of a DNS server: an IP address, or one with a port where it is not 53. Raises AddressError."""
    if text.count(":") != 1 and not text.startswith("["):
        text = f"[{text}]:{DNS_PORT}" if ":" in text else f"{text}:{DNS_PORT}"
    address = parse_address(text)
    if address.path or address.port == 0 or address.is_wildcard:
        raise AddressError(f"not the address of a DNS server: {quoted(text)}", "for example 10.0.0.10 or 10.0.0.10:53")
    return address


def shared_host_name(cluster: Cluster) -> str | None:
    """The host name of every endpoint of `cluster`; None when one has an address, or another name."""
    names: set[str] = set()
    for text in (as_endpoint(each).address for each in cluster.endpoints):
        try:
            endpoint = parse_endpoint(text)
        except AddressError:
            return None
        if not isinstance(endpoint, HostName):
            return None
        names.add(endpoint.host.removesuffix("."))
    return names.pop() if len(names) == 1 else None
