"""What the servers of the tests send, and how the tests know that it has come whole and unchanged."""

from __future__ import annotations

import gzip
import hashlib

_BLOCK = 64
PIECE = 65536
"""How much is sent at a time where a body has no length."""


def pattern(size: int) -> bytes:
    """`size` bytes, each 64 of them unlike all others: a piece lost or moved is seen. node_server.js has it too."""
    blocks = -(-size // _BLOCK)
    return b"".join(b"%063d\n" % number for number in range(blocks))[:size]


def pieces(data: bytes) -> list[bytes]:
    """The data as it is sent where it has no length."""
    return [data[at : at + PIECE] for at in range(0, len(data), PIECE)]


def sha256(data: bytes) -> str:
    """The checksum, in hexadecimal."""
    return hashlib.sha256(data).hexdigest()


GZIPPED = gzip.compress(pattern(10_000), mtime=0)
COOKIES = ("a=1; Path=/; HttpOnly", 'b="two, with a comma"; Max-Age=60')
LOCATION = "/describe?came=from%20redirect"
ETAG = '"v1"'
EVENTS = (b"data: first\n\n", b"data: last\n\n")
