"""The hosts of a virtual host, as they are written: shop.example, *.shop.example:8080, [::1], *."""

from __future__ import annotations

import socket

from msgspec import Struct

from mesh_core.config.address import AddressError, parse_port
from mesh_core.config.host_name import is_host_name
from mesh_core.config.wording import quoted


class HostPattern(Struct, frozen=True):
    """Requests to a host.

    `text` is a host in lower case and without a dot at its end; or what such a host ends with, from a dot on; or
    empty for any host. A `port` of None is every port.
    """

    text: str
    port: int | None

    def __str__(self) -> str:
        host = self.text if self.text and not self.text.startswith(".") else f"*{self.text}"
        return host if self.port is None else f"{host}:{self.port}"


def parse_host_pattern(text: str) -> HostPattern:
    """The pattern that `text` writes. Raises AddressError."""
    host, port = text, None
    # A colon within brackets is of an address.
    if ":" in text[text.rfind("]") + 1 :]:
        host, _, after = text.rpartition(":")
        port = parse_port(after, text)
        if port == 0:
            raise AddressError(f"port 0 of {quoted(text)} is no port to ask for", "write a port from 1 to 65535")
    if host == "*":
        return HostPattern("", port)
    if host.startswith("["):
        return HostPattern(_address(host, text), port)
    name = host.removesuffix(".").removeprefix("*.").lower()
    if not is_host_name(name):
        hint = "write a host name, *. and a host name, an IP address, or *; each with or without a port"
        raise AddressError(f"not a host: {quoted(text)}", hint)
    return HostPattern(f".{name}" if host.startswith("*.") else name, port)


def _address(host: str, text: str) -> str:
    try:
        socket.inet_pton(socket.AF_INET6, host.removeprefix("[").removesuffix("]"))
    except (OSError, ValueError):
        raise AddressError(f"not an IPv6 address in brackets: {quoted(text)}", 'for example "[::1]"') from None
    return host.lower()
