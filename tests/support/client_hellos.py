"""Makes TLS ClientHellos from their parts, right and wrong ones."""

from __future__ import annotations

import struct

GREASE = [value * 0x0101 for value in range(0x0A, 0x100, 0x10)]


def vector(length_bytes: int, *parts: bytes) -> bytes:
    """The parts behind their length."""
    content = b"".join(parts)
    return len(content).to_bytes(length_bytes, "big") + content


def extension(kind: int, content: bytes = b"") -> bytes:
    return kind.to_bytes(2, "big") + vector(2, content)


def server_name(name: bytes, kind: int = 0) -> bytes:
    return extension(0, vector(2, bytes([kind]) + vector(2, name)))


def alpn(*protocols: bytes) -> bytes:
    return extension(16, vector(2, *(vector(1, protocol) for protocol in protocols)))


def versions(*numbers: int) -> bytes:
    return extension(43, vector(1, *(number.to_bytes(2, "big") for number in numbers)))


def message(
    *extensions: bytes,
    version: int = 0x0303,
    session_id: bytes = bytes(32),
    ciphers: bytes = b"\x13\x01\x0a\x0a",
    compression: bytes = b"\0",
    tail: bytes | None = None,
) -> bytes:
    """A handshake message; `tail` stands in place of the extensions' vector."""
    body = version.to_bytes(2, "big") + bytes(range(32)) + vector(1, session_id)
    body += vector(2, ciphers) + vector(1, compression) + (vector(2, *extensions) if tail is None else tail)
    return b"\x01" + vector(3, body)


def record(content: bytes, kind: int = 22, version: int = 0x0301) -> bytes:
    return struct.pack(">BHH", kind, version, len(content)) + content


def records(whole: bytes, *sizes: int) -> bytes:
    """The message in records of these sizes, the last of which is repeated."""
    pieces, at, turn = [], 0, 0
    while at < len(whole):
        size = sizes[min(turn, len(sizes) - 1)]
        pieces.append(record(whole[at : at + size]))
        at, turn = at + size, turn + 1
    return b"".join(pieces)


def hello(*extensions: bytes, **parts: object) -> bytes:
    """A hello in one record."""
    return record(message(*extensions, **parts))
