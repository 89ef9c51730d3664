"""What bodies hold: bytes that follow from a request's number, so that every end can tell whether they are right."""

import random

_BLOCK_BYTES = 1 << 20
_STRIDE = 4_099  # a prime: neighbouring requests get bodies that have little in common
LARGEST = _BLOCK_BYTES // 2
_BLOCK = random.Random(20261123).randbytes(_BLOCK_BYTES)


def body(number: int, size: int) -> bytes:
    """Return the bytes that request ``number`` carries, or is answered with; at most ``LARGEST``."""
    begin = number * _STRIDE % (_BLOCK_BYTES - LARGEST)
    return _BLOCK[begin:begin + size]


def stored(number: int, size: int) -> bytes:
    """Return what an origin answers once a body of that size has come, and was right."""
    return b"stored %d %d\n" % (number, size)


def chunked(data: bytes, number: int) -> bytes:
    """Return ``data`` in HTTP/1.1's chunks, the end included; where it is cut depends on the number."""
    piece = 1 + number * 31 % 9_973
    chunks = [b"%x\r\n%b\r\n" % (len(part), part)
              for part in (data[at:at + piece] for at in range(0, len(data), piece))]
    return b"".join([*chunks, b"0\r\n\r\n"])
