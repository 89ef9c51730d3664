"""The rules of filter-chain matching, asked of every chain: slow, and plain to see."""

from __future__ import annotations

import ipaddress
import socket
import struct
from collections.abc import Callable, Hashable
from dataclasses import dataclass
from functools import cache
from typing import Any

from mesh_core.config import FilterChainMatch

Address = ipaddress.IPv4Address | ipaddress.IPv6Address | None


@dataclass(frozen=True)
class Connection:
    """What is known of a connection; `tls` is None, or (server name, protocols)."""

    destination: Address
    port: int
    source: Address
    tls: tuple[str, tuple[bytes, ...]] | None = None


def socket_address(address: Address, port: int) -> bytes:
    """The kernel's form of an address; None is a Unix socket's."""
    if address is None:
        return struct.pack("=H", socket.AF_UNIX)
    if address.version == 4:
        return struct.pack("=HH4s8x", socket.AF_INET, socket.htons(port), address.packed)
    return struct.pack("=HHI16sI", socket.AF_INET6, socket.htons(port), 0, address.packed, 0)


def choose(matches: list[FilterChainMatch], connection: Connection) -> set[int]:
    """The chains that are left when every field has been asked."""
    name, protocols = connection.tls or ("", ())
    transport = "tls" if connection.tls else "raw_buffer"
    left = set(range(len(matches)))
    left = prune(matches, left, lambda match: match.destination_ports, [connection.port])
    left = prune(matches, left, lambda match: networks(match.destination_addresses), around(connection.destination))
    left = prune(matches, left, lambda match: [one.lower() for one in match.server_names], above(name))
    left = prune(matches, left, lambda match: list(filter(None, [match.transport_protocol])), [transport])
    left = prune(matches, left, lambda match: [one.encode() for one in match.application_protocols], list(protocols))
    return prune(matches, left, lambda match: networks(match.source_addresses), around(connection.source))


def prune(
    matches: list[FilterChainMatch], left: set[int], named: Callable[[FilterChainMatch], Any], has: list[Any]
) -> set[int]:
    """Of `left`: those that name the first of `has` (most exact first) that any names, or those that name nothing."""
    for value in has:
        fitting = {chain for chain in left if value in named(matches[chain])}
        if fitting:
            return fitting
    return {chain for chain in left if not named(matches[chain])}


@cache
def networks(texts: tuple[str, ...]) -> list[Hashable]:
    return [ipaddress.ip_network(text) for text in texts]


@cache
def around(address: Address) -> list[Any]:
    """All networks with the address, the narrowest first."""
    if address is None:
        return []
    mapped = getattr(address, "ipv4_mapped", None)
    host = ipaddress.ip_network(mapped or address)
    return [host.supernet(new_prefix=length) for length in range(host.max_prefixlen, -1, -1)]


def above(name: str) -> list[str]:
    """The name, then its wildcards, the longest first."""
    if not name:
        return []
    labels = name.split(".")
    return [name, *("*." + ".".join(labels[index:]) for index in range(1, len(labels)))]
