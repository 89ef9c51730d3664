"""Networks within one another, as ranges beside one another: what a binary search can look through."""

from __future__ import annotations

from collections.abc import Mapping
from ipaddress import IPv4Network, IPv6Network
from typing import TypeVar

_T = TypeVar("_T")


def address_ranges(
    networks: Mapping[IPv4Network | IPv6Network, _T], otherwise: _T
) -> list[tuple[bytes, _T]]:
    """Return ascending (first address, value) pairs that cover all addresses: of each, its longest network's value.

    An address is a byte 4 or 6, then itself, filled up with zeros to 16 bytes.
    """
    starts: dict[bytes, _T] = {}
    for version, bits in ((4, 32), (6, 128)):
        starts[_key(version, 0, bits)] = otherwise
        outer: list[tuple[int, _T]] = [((1 << bits) - 1, otherwise)]
        within = [network for network in networks if network.version == version]
        for network in sorted(within, key=lambda each: (int(each.network_address), each.prefixlen)):
            first = int(network.network_address)
            while outer[-1][0] < first:
                end, _ = outer.pop()
                starts[_key(version, end + 1, bits)] = outer[-1][1]
            outer.append((int(network.broadcast_address), networks[network]))
            starts[_key(version, first, bits)] = networks[network]
        while len(outer) > 1:
            end, _ = outer.pop()
            if end < outer[0][0]:
                starts[_key(version, end + 1, bits)] = outer[-1][1]
    return sorted(starts.items(), key=lambda start: start[0])


def _key(version: int, address: int, bits: int) -> bytes:
    return bytes([version]) + address.to_bytes(bits // 8, "big").ljust(16, b"\0")
