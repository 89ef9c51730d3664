"""A second reading of the PROXY protocol's specification, written for clarity, to judge the compiled one by.

Returns the length of the header and what it says; raises Refused with the kind of fault, or Incomplete.
"""

from __future__ import annotations

import re
import socket
from dataclasses import dataclass

SIGNATURE = b"\r\n\r\n\0\r\nQUIT\n"
LIMIT = 4096
# Family byte: (address bytes of the block, of one address).
BLOCKS = {0: (0, 0), 1: (12, 4), 2: (36, 16), 3: (216, 108)}
FAMILIES = {family: BLOCKS[family >> 4] for family in (0x00, 0x11, 0x12, 0x21, 0x22, 0x31, 0x32)}
_CRC_TABLE = []
for _byte in range(256):
    for _ in range(8):
        _byte = (_byte >> 1) ^ (0x82F63B78 if _byte & 1 else 0)
    _CRC_TABLE.append(_byte)


class Incomplete(Exception):
    """More bytes are needed."""


class Refused(Exception):
    """It is no header; the argument says what is wrong."""


@dataclass
class Header:
    """What a header says; an end is (host, port), "unix" or None."""

    length: int
    version: int
    local: bool = False
    source: tuple[str, int] | str | None = None
    destination: tuple[str, int] | str | None = None


def crc32c(data: bytes) -> int:
    crc = 0xFFFFFFFF
    for byte in data:
        crc = (crc >> 8) ^ _CRC_TABLE[(crc ^ byte) & 0xFF]
    return crc ^ 0xFFFFFFFF


def parse(data: bytes) -> Header:
    """Read a header from the start of the data. Raises Incomplete, Refused."""
    if data[:1] == b"P":
        return _parse_v1(data)
    if data[:12] != SIGNATURE[: len(data)]:
        raise Refused("signature")
    return _parse_v2(data)


def _parse_v1(data: bytes) -> Header:
    if data[:6] != b"PROXY "[: len(data)]:
        raise Refused("signature")
    line, newline, _ = data[:107].partition(b"\n")
    if not newline:
        if len(data) < 107:
            raise Incomplete
        raise Refused("line")
    length = len(line) + 1
    if not line.endswith(b"\r") or length < 8:
        raise Refused("line")
    text = line[6:-1]
    if re.match(rb"UNKNOWN(?: |$)", text, re.DOTALL):
        return Header(length, 1)
    words = text.split(b" ")
    if len(words) != 5 or not all(re.fullmatch(rb"[!-~]{1,45}", word) for word in words):
        raise Refused("line")
    protocol, source, destination, *ports = words
    if not all(re.fullmatch(rb"0|[1-9][0-9]{0,4}", port) and int(port) <= 65535 for port in ports):
        raise Refused("address")
    if protocol not in (b"TCP4", b"TCP6"):
        raise Refused("family")
    family = socket.AF_INET if protocol == b"TCP4" else socket.AF_INET6
    ends = []
    for host, port in zip((source, destination), ports, strict=True):
        try:
            packed = socket.inet_pton(family, host.decode())
        except OSError:
            raise Refused("address") from None
        ends.append((socket.inet_ntop(family, packed), int(port)))
    return Header(length, 1, False, *ends)


def _parse_v2(data: bytes) -> Header:
    if len(data) <= 12:
        raise Incomplete
    if data[12] >> 4 != 2:
        raise Refused("version")
    if data[12] & 15 > 1:
        raise Refused("command")
    local = data[12] & 15 == 0
    if len(data) > 13 and not local and data[13] not in FAMILIES:
        raise Refused("family")
    if len(data) < 16:
        raise Incomplete
    length = 16 + int.from_bytes(data[14:16], "big")
    block, one = (0, 0) if local else FAMILIES[data[13]]
    if length > LIMIT or length < 16 + block:
        raise Refused("length")
    if len(data) < length:
        raise Incomplete
    if local or not block:
        return Header(length, 2, local)
    _check_tlvs(data[:length], 16 + block)
    if one == 108:
        return Header(length, 2, False, "unix", "unix")
    family = socket.AF_INET if one == 4 else socket.AF_INET6
    hosts = [socket.inet_ntop(family, data[at : at + one]) for at in (16, 16 + one)]
    ports = [int.from_bytes(data[at : at + 2], "big") for at in (16 + 2 * one, 18 + 2 * one)]
    return Header(length, 2, False, (hosts[0], ports[0]), (hosts[1], ports[1]))


def _check_tlvs(data: bytes, at: int) -> None:
    while at < len(data):
        size = int.from_bytes(data[at + 1 : at + 3], "big")
        if len(data) - at < 3 or len(data) - at - 3 < size or (data[at] == 3 and size != 4):
            raise Refused("tlv")
        if data[at] == 3:
            blanked = data[: at + 3] + bytes(4) + data[at + 7 :]
            if crc32c(blanked) != int.from_bytes(data[at + 3 : at + 7], "big"):
                raise Refused("checksum")
        at += 3 + size
