"""PROXY protocol headers, written from the specification (haproxy.org, proxy-protocol.txt) and not with our codec."""

from __future__ import annotations

import socket
import struct

SIGNATURE = b"\r\n\r\n\x00\r\nQUIT\n"
Place = tuple[str, int]


def v1(source: Place, destination: Place) -> bytes:
    """A version 1 header."""
    family = "TCP6" if ":" in source[0] else "TCP4"
    return f"PROXY {family} {source[0]} {destination[0]} {source[1]} {destination[1]}\r\n".encode()


def v2(source: Place, destination: Place, tlvs: bytes = b"") -> bytes:
    """A version 2 header."""
    family = socket.AF_INET6 if ":" in source[0] else socket.AF_INET
    hosts = socket.inet_pton(family, source[0]) + socket.inet_pton(family, destination[0])
    payload = hosts + struct.pack("!HH", source[1], destination[1]) + tlvs
    return v2_raw(0x21, 0x21 if family == socket.AF_INET6 else 0x11, payload)


def v2_raw(command: int, family: int, payload: bytes = b"") -> bytes:
    """A version 2 header out of its parts."""
    return SIGNATURE + struct.pack("!BBH", command, family, len(payload)) + payload


def place(address: str) -> Place:
    """Host and port of an address as configurations write it."""
    host, _, port = address.rpartition(":")
    return host.strip("[]"), int(port)
