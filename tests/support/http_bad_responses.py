"""What an upstream may not say: why, and the bytes. Each tries to get a response of its own to somebody else."""

from __future__ import annotations

from typing import NamedTuple

from tests.support.http_chunk_faults import CHUNK_FAULTS, TOO_LARGE, TOO_LARGE_TRAILERS
from tests.support.http_messages import ok, ok_chunked, response


class Bad(NamedTuple):
    """A bad response to a GET."""

    name: str
    data: bytes


CHUNKED = b"Transfer-Encoding: chunked"
EVIL = ok(b"evil")


def _heads(name: str, lines: list[bytes]) -> list[Bad]:
    """A response for each of these field lines."""
    return [Bad(f"{name}: {line!r}", response(line) + b"hello" + EVIL) for line in lines]


def _pairs(name: str, *pairs: tuple[bytes, ...]) -> list[Bad]:
    """Fields that are wrong together, in both orders."""
    ordered = [each for fields in pairs for each in (fields, fields[::-1])]
    return [Bad(f"{name}: {each!r}", response(*each) + b"0\r\n\r\n" + EVIL) for each in ordered]


def _lines(name: str, lines: list[bytes]) -> list[Bad]:
    """A response for each of these status lines."""
    return [Bad(f"{name}: {line!r}", response(b"Content-Length: 0", line=line) + EVIL) for line in lines]


def _controls() -> list[Bad]:
    found = []
    for control in [*range(0x20), 0x7F]:
        byte = bytes([control])
        places = {
            "version": b"HTTP/1.1" + byte + b"200 OK\r\nContent-Length: 0\r\n\r\n",
            "status": b"HTTP/1.1 2" + byte + b"00 OK\r\nContent-Length: 0\r\n\r\n",
            "name": b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nX" + byte + b"y: z\r\n\r\n",
        }
        if control != 0x09:
            places |= {
                "reason": b"HTTP/1.1 200 O" + byte + b"K\r\nContent-Length: 0\r\n\r\n",
                "value": b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nX: y" + byte + b"z\r\n\r\n",
                "value's end": b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nX: y" + byte + b"\r\n\r\n",
                "length": b"HTTP/1.1 200 OK\r\nContent-Length: 0" + byte + b"\r\n\r\n",
                "coding": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: " + byte + b"chunked\r\n\r\n0\r\n\r\n",
            }
        found += [Bad(f"control {control:#04x} in the {place}", data + EVIL) for place, data in places.items()]
    return found


FRAMING = _heads("length", [
    b"Content-Length: " + value for value in (
        b"", b"+5", b"-5", b"5,5", b"5, 5", b"5 5", b"5.0", b"0x5", b"5a", b"a", b"9223372036854775808",
        b"18446744073709551621", b"9" * 30, b'"5"', b"1e3", b"\xb5",
    )
]) + _pairs(
    "lengths",
    (b"Content-Length: 5", b"Content-Length: 5"), (b"Content-Length: 5", b"content-length: 6"),
    (b"Content-Length: 5", CHUNKED), (b"Content-Length: 0", CHUNKED),
    (b"Content-Length: 5", b"Transfer-Encoding: identity"),
) + _heads("coding", [
    b"Transfer-Encoding: " + value for value in (
        b"", b"identity", b"gzip", b"gzip, chunked", b"chunked, gzip", b"chunked, chunked", b"xchunked", b"chunke",
        b"chunked,", b"chunked;a=b", b'"chunked"', b"chunked\xa0", b"chunked\t", b"cow",
    )
]) + _pairs("codings", (CHUNKED, CHUNKED), (CHUNKED, b"Transfer-Encoding: gzip"), (CHUNKED, b"Transfer-Encoding: ")) + [
    Bad("coding in 1.0", response(CHUNKED, line=b"HTTP/1.0 200 OK") + b"0\r\n\r\n" + EVIL),
    Bad("204 with a length", response(b"Content-Length: 4", line=b"HTTP/1.1 204 No Content") + b"evil"),
    Bad("204 with a coding", response(CHUNKED, line=b"HTTP/1.1 204 No Content") + b"0\r\n\r\n"),
    Bad("100 with a length", response(b"Content-Length: 4", line=b"HTTP/1.1 100 Continue") + b"evil" + EVIL),
    Bad("103 with a coding", response(CHUNKED, line=b"HTTP/1.1 103 Early Hints") + b"0\r\n\r\n" + EVIL),
    Bad("a fault behind a 100", response(line=b"HTTP/1.1 100 Continue") + response(b"X : y") + EVIL),
    Bad("101 unasked", response(b"Connection: upgrade", b"Upgrade: x", line=b"HTTP/1.1 101 Switching") + EVIL),
    Bad("101 without fields", response(line=b"HTTP/1.1 101 Switching Protocols") + EVIL),
]  # fmt: skip

FIELDS = [*_heads("field", [
    b" X: y", b"\tX: y", b"Content-Length: 0\r\nX: y\r\n folded", b"Content-Length: 0\r\nX: y\r\n\tz",
    b"Content-Length:\r\n 5", b"Content-Length : 5", b"X : y", b"X\t: y", b": y", b":", b"X", b"X y: z", b"X(y): z",
    b"X/Y: z", b"X\xe9: y", b"HTTP/1.1 200 OK", b"Content-Length: 0\r\nX: y\nSet-Cookie: evil",
    b"Content-Length: 0\r\nX: y\rSet-Cookie: evil", b"Connection: content-length",
    b"Connection: close, transfer-encoding", b"Connection: set-cookie", b"Connection: a b", b"Content-Length\x00: 5",
    b"Content_Length: 5",
]), Bad("white space before the first field", response(b" Content-Length: 0") + EVIL)]  # fmt: skip

LINES = [*_lines("status line", [
    b"200 OK", b"HTTP 200 OK", b"HTTP/1.1", b"HTTP/1.1 ", b"HTTP/1.1 2", b"HTTP/1.1 20", b"HTTP/1.1 20 OK",
    b"HTTP/1.1 2000 OK", b"HTTP/1.1 200OK", b"HTTP/1.1 099 x", b"HTTP/1.1 000 x", b"HTTP/1.1 0200 OK",
    b"HTTP/1.1 -20 x", b"HTTP/1.1 +20 x", b"HTTP/1.1 2x0 OK", b"HTTP/1.1 0x1 OK", b"HTTP/1.1  200 OK",
    b"HTTP/1.1\t200 OK", b" HTTP/1.1 200 OK", b"http/1.1 200 OK", b"HTTP/1.2 200 OK", b"HTTP/2.0 200 OK",
    b"HTTP/2 200 OK", b"HTTP/0.9 200 OK", b"HTTP/1.10 200 OK", b"HTTP/11 200 OK", b"ICY 200 OK", b"HTTPS/1.1 200 OK",
    b"HTTP/1.1 200\tOK", b"GET / HTTP/1.1", b"<html>", b"SSH-2.0-x", b"\x16\x03\x01\x02", b"+PONG",
    b"HTTP/1,1 200 OK", b"HTTP/1.1 \xb200 OK", b"HTTP/1.1 200\xa0OK",
]),
    Bad("LF only", b"HTTP/1.1 200 OK\nContent-Length: 0\n\n" + EVIL),
    Bad("CR only", b"HTTP/1.1 200 OK\rContent-Length: 0\r\r" + EVIL),
    Bad("LF behind the status line", b"HTTP/1.1 200 OK\nContent-Length: 0\r\n\r\n" + EVIL),
    Bad("LF for the empty line", b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\n" + EVIL),
    Bad("CR CR LF", b"HTTP/1.1 200 OK\r\r\nContent-Length: 0\r\n\r\n" + EVIL),
    Bad("an empty line before", b"\r\n" + EVIL),
    Bad("bytes before", b"x" + EVIL),
    Bad("NUL before", b"\0" + EVIL),
    Bad("body first", b"evil\r\n\r\n" + EVIL),
]  # fmt: skip

TOO_LARGE_HEADS = [
    Bad("a long reason", response(b"Content-Length: 0", line=b"HTTP/1.1 200 " + b"a" * 9000) + EVIL),
    Bad("a long field", response(b"Content-Length: 0", b"X: " + b"a" * 62000) + EVIL),
    Bad("many fields", response(b"Content-Length: 0", *(b"X: y" for _ in range(100))) + EVIL),
    Bad("an endless line", b"HTTP/1.1 200 " + b"a" * 70000),
    Bad("an endless field", b"HTTP/1.1 200 OK\r\nX: " + b"a" * 70000),
]

CONTROLS = _controls()
HEADS = [*FRAMING, *FIELDS, *LINES, *TOO_LARGE_HEADS, *CONTROLS]

BODIES = [
    Bad(name, ok_chunked(body) + EVIL) for name, body in (*CHUNK_FAULTS, *TOO_LARGE, *TOO_LARGE_TRAILERS)
]  # fmt: skip
