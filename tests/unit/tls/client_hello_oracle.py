"""A second reader of ClientHellos, written for clarity."""

from __future__ import annotations

import ipaddress
import re
import struct
from dataclasses import dataclass, field

from tests.support.client_hellos import GREASE

HOST_NAME = re.compile(r"[A-Za-z0-9_-]{1,63}(\.[A-Za-z0-9_-]{1,63})*")


class Refused(Exception):
    """The bytes are no hello that may pass; the word says why."""


@dataclass(frozen=True)
class Hello:
    """What a hello says."""

    wire_bytes: int
    legacy_version: int
    highest_version: int
    server_name: str = ""
    alpn: list[bytes] = field(default_factory=list)


def judge(data: bytes) -> Hello | str:
    """Return what the hello at the start of `data` says, or the word for what it is instead."""
    try:
        return read_message(*find_message(data))
    except Refused as refused:
        return str(refused)


def find_message(data: bytes) -> tuple[bytes, int]:
    """Return the message's body, and its length on the wire."""
    message, at = b"", 0
    for record in range(64):
        size = read_record_header(data[at : at + 5], "malformed" if record else "not_tls")
        body = data[at + 5 : at + 5 + size]
        promised, at = len(message) + size, at + 5 + size
        message += body
        expected = expected_size(message)
        if promised > expected:
            raise Refused("malformed")
        if len(body) < size:
            raise Refused("incomplete")
        if len(message) == expected:
            return message[4:], at
    raise Refused("oversized")


def read_record_header(header: bytes, foreign: str) -> int:
    if not b"\x16\x03".startswith(header[:2]):
        raise Refused(foreign)
    if len(header) < 5:
        raise Refused("incomplete")
    size = int.from_bytes(header[3:], "big")
    if not 1 <= size <= 16384:
        raise Refused("malformed")
    return size


def expected_size(message: bytes) -> float:
    if message[:1] not in (b"", b"\x01"):
        raise Refused("malformed")
    if len(message) < 4:
        return float("inf")
    expected = 4 + int.from_bytes(message[1:4], "big")
    if expected > 16384:
        raise Refused("oversized")
    return expected


def take(data: bytes, size: int) -> tuple[bytes, bytes]:
    if len(data) < size:
        raise Refused("malformed")
    return data[:size], data[size:]


def take_vector(data: bytes, length_bytes: int, least: int = 0) -> tuple[bytes, bytes]:
    length, data = take(data, length_bytes)
    size = int.from_bytes(length, "big")
    if size < least:
        raise Refused("malformed")
    return take(data, size)


def take_all(data: bytes, length_bytes: int, least: int) -> bytes:
    vector, rest = take_vector(data, length_bytes, least)
    if rest:
        raise Refused("malformed")
    return vector


def read_message(body: bytes, wire_bytes: int) -> Hello:
    version, rest = take(body, 2)
    _, rest = take(rest, 32)
    session_id, rest = take_vector(rest, 1)
    ciphers, rest = take_vector(rest, 2, 2)
    _, rest = take_vector(rest, 1, 1)
    if version[0] != 3 or len(session_id) > 32 or len(ciphers) % 2:
        raise Refused("malformed")
    legacy = int.from_bytes(version, "big")
    found = {"highest_version": min(legacy, 0x0303)}
    extensions, seen = take_all(rest, 2, 0) if rest else b"", set()
    while extensions:
        kind, extensions = take(extensions, 2)
        content, extensions = take_vector(extensions, 2)
        if kind in seen:
            raise Refused("malformed")
        seen.add(kind)
        reader = READERS.get(int.from_bytes(kind, "big"))
        if reader:
            found |= reader(content)
    return Hello(wire_bytes, legacy, **found)


def read_versions(content: bytes) -> dict[str, object]:
    versions = take_all(content, 1, 2)
    if len(versions) % 2:
        raise Refused("malformed")
    numbers = struct.unpack(f">{len(versions) // 2}H", versions)
    return {"highest_version": max((number for number in numbers if 0x0300 <= number <= 0x0304), default=0)}


def read_alpn(content: bytes) -> dict[str, object]:
    protocols, found = take_all(content, 2, 2), []
    while protocols:
        protocol, protocols = take_vector(protocols, 1, 1)
        if len(protocol) == 2 and int.from_bytes(protocol, "big") in GREASE:
            continue
        found.append(protocol)
        if sum(1 + len(one) for one in found) > 256:
            raise Refused("oversized")
    return {"alpn": found}


def read_server_name(content: bytes) -> dict[str, object]:
    entries, names = take_all(content, 2, 1), []
    while entries:
        kind, entries = take(entries, 1)
        name, entries = take_vector(entries, 2, 1)
        if kind == b"\0":
            names.append(name_of(name))
    if len(names) > 1:
        raise Refused("malformed")
    return {"server_name": names[0] if names else ""}


def name_of(name: bytes) -> str:
    text = name.decode("latin-1")
    try:
        ipaddress.ip_address(text)
    except ValueError:
        if len(name) > 255 or not HOST_NAME.fullmatch(text):
            raise Refused("malformed") from None
        return text.lower()
    if "%" in text:
        raise Refused("malformed")
    return ""


READERS = {0: read_server_name, 16: read_alpn, 43: read_versions}
