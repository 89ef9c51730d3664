"""Requests that must be refused: why, the bytes, and the status of the answer. Each tries to smuggle one in."""

from __future__ import annotations

from typing import NamedTuple

from tests.support.http_chunk_faults import CHUNK_FAULTS, TOO_LARGE_TRAILERS
from tests.support.http_chunk_faults import TOO_LARGE as TOO_LARGE_CHUNKS
from tests.support.http_messages import get, post_chunked, request, smuggled


class Bad(NamedTuple):
    """A bad message."""

    name: str
    data: bytes
    status: int = 400


POST = b"POST / HTTP/1.1"
CHUNKED = b"Transfer-Encoding: chunked"
EVIL = smuggled()


def _heads(name: str, lines: list[bytes], status: int = 400) -> list[Bad]:
    """A request for each of these field lines."""
    return [Bad(f"{name}: {line!r}", request(line, line=POST) + EVIL, status) for line in lines]


def _pairs(name: str, *pairs: tuple[bytes, ...]) -> list[Bad]:
    """Fields that are wrong together, in both orders."""
    found = []
    for fields in pairs:
        for ordered in (fields, fields[::-1]):
            found.append(Bad(f"{name}: {ordered!r}", request(*ordered, line=POST) + b"0\r\n\r\n" + EVIL))
    return found


def _lines(name: str, lines: list[bytes], status: int = 400) -> list[Bad]:
    """A request for each of these request lines."""
    return [Bad(f"{name}: {line!r}", request(line=line) + EVIL, status) for line in lines]


def _controls() -> list[Bad]:
    """NUL and other controls, bare CR and LF, in every part of a head."""
    found = []
    for control in [*range(0x20), 0x7F]:
        byte = bytes([control])
        places = {
            "method": b"G" + byte + b"ET / HTTP/1.1\r\nHost: a\r\n\r\n",
            "target": b"GET /" + byte + b"a HTTP/1.1\r\nHost: a\r\n\r\n",
            "version": b"GET / HTTP/1.1" + byte + b"\r\nHost: a\r\n\r\n",
            "name": b"GET / HTTP/1.1\r\nHost: a\r\nX" + byte + b"y: z\r\n\r\n",
            "host": b"GET / HTTP/1.1\r\nHost: a" + byte + b"b\r\n\r\n",
        }
        if control != 0x09:
            places |= {
                "value": b"GET / HTTP/1.1\r\nHost: a\r\nX: y" + byte + b"z\r\n\r\n",
                "value's begin": b"GET / HTTP/1.1\r\nHost: a\r\nX: " + byte + b"z\r\n\r\n",
                "value's end": b"GET / HTTP/1.1\r\nHost: a\r\nX: z" + byte + b"\r\n\r\n",
                "length": b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 4" + byte + b"\r\n\r\n",
                "coding": b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: " + byte + b"chunked\r\n\r\n",
                "fields": b"GET / HTTP/1.1\r\nHost: a\r\n" + byte + b"\r\n\r\n",
            }
        found += [Bad(f"control {control:#04x} in the {place}", data + EVIL) for place, data in places.items()]
    return found


LENGTHS = _heads("length", [
    b"Content-Length: " + value for value in (
        b"", b"+5", b"-5", b"-0", b"5,5", b"5, 5", b"5;5", b"5 5", b"5.0", b"0x5", b"5a", b"a", b"0b1", b"5_0",
        b"\xb2", b"9223372036854775808", b"18446744073709551616", b"18446744073709551621", b"99999999999999999999999",
        b"1e3", b'"5"', b"5,", b",5", b"NaN", b"\xd9\xa5",
    )
]) + _pairs(
    "lengths",
    (b"Content-Length: 5", b"Content-Length: 5"), (b"Content-Length: 5", b"Content-Length: 6"),
    (b"Content-Length: 0", b"content-length: 37"), (b"Content-Length: 5", b"X: y", b"CONTENT-LENGTH: 5"),
    (b"Content-Length: 0", b"Content-Length: "), (b"Content-Length: 1", b"Content-Length: 01"),
)  # fmt: skip

LENGTH_AND_CODING = _pairs(
    "length and coding",
    (b"Content-Length: 5", CHUNKED), (b"Content-Length: 0", CHUNKED),
    (b"content-length: 5", b"transfer-encoding: chunked"),
    (b"Content-Length: 42", b"X: y", b"Transfer-Encoding: Chunked"),
    (b"Content-Length: 5", b"Transfer-Encoding: identity"), (b"Content-Length: x", CHUNKED),
    (b"Content-Length: 5", b"Transfer-Encoding: x"), (b"Content-Length: 5", b"Transfer-Encoding:"),
)  # fmt: skip

CODINGS = _heads("coding", [
    b"Transfer-Encoding: " + value for value in (
        b"", b"identity", b"gzip", b"gzip, chunked", b"chunked, gzip", b"chunked, chunked", b"chunked, identity",
        b"xchunked", b"chunke", b"chunkedx", b"chunked,", b",chunked", b"chunked;q=1", b"chunked; a=b", b'"chunked"',
        b"'chunked'", b"chun ked", b"chunked chunked", b"x", b"cow", b"chunked\xa0", b"\xefchunked",
        b"chun\xc4\xb8ed", b"trailers", b"\x85chunked", b"ch\xfcnked", b"chunked\t", b"chunked ", b"deflate",
        b"identity, chunked", b"[chunked]",
    )
]) + _pairs(
    "codings",
    (CHUNKED, CHUNKED), (CHUNKED, b"Transfer-Encoding: identity"), (CHUNKED, b"Transfer-Encoding: x"),
    (CHUNKED, b"Transfer-Encoding: "), (CHUNKED, b"transfer-encoding: gzip"), (CHUNKED, b"X: y",
    b"TRANSFER-ENCODING: cow"),
) + [
    Bad(f"coding in 1.0: {fields!r}", request(*fields, line=b"POST / HTTP/1.0") + b"0\r\n\r\n" + EVIL)
    for fields in ((CHUNKED,), (CHUNKED, b"Connection: keep-alive"), (b"Transfer-Encoding: identity",),
                   (CHUNKED, b"Content-Length: 3"))
]  # fmt: skip

FIELDS = [*_heads("field", [
    b" X: folded into Host", b"\tX: folded", b" folded", b"X: y\r\n folded", b"X: y\r\n\tfolded", b"X: y\r\n \r\n z",
    b"X:\r\n y", b"Transfer-Encoding:\r\n chunked", b"Content-Length:\r\n 5", b"X : y", b"X\t: y",
    b"Content-Length : 5", b"Transfer-Encoding : chunked", b"Host : b", b": y", b" : y", b":", b"X", b"no colon",
    b"X y: z", b'"X": y', b"X(y): z", b"X,Y: z", b"X/Y: z", b"X;Y: z", b"X=Y: z", b"X@Y: z", b"X[Y]: z", b"X{Y}: z",
    b"X\\Y: z", b"X\xe9: y", b"\xff: y", b"Transfer-Encoding\xa0: chunked", b"Transf\xc3\xa9r-Encoding: chunked",
    b"\x0bTransfer-Encoding: chunked", b"\xa0Transfer-Encoding: chunked", b"GET /smuggled HTTP/1.1",
    b"Content-Length\x00: 5", b"Content_Length: 5",
    b"transfer_Encoding: chunked", b"TRANSFER_ENCODING: x",
]), Bad("white space before the first field", request(host=b" Host: a") + EVIL)]  # fmt: skip

LINE_ENDS = [
    Bad("LF only", b"GET / HTTP/1.1\nHost: a\n\n" + EVIL),
    Bad("LF behind the request line", b"GET / HTTP/1.1\nHost: a\r\n\r\n" + EVIL),
    Bad("LF behind a field", b"GET / HTTP/1.1\r\nHost: a\nX: y\r\n\r\n" + EVIL),
    Bad("LF for the empty line", b"GET / HTTP/1.1\r\nHost: a\r\n\n" + EVIL),
    Bad("CR for the empty line", b"GET / HTTP/1.1\r\nHost: a\r\n\r" + EVIL),
    Bad("CR only", b"GET / HTTP/1.1\rHost: a\r\r" + EVIL),
    Bad("CR CR LF", b"GET / HTTP/1.1\r\r\nHost: a\r\n\r\n" + EVIL),
    Bad("LF CR", b"GET / HTTP/1.1\n\rHost: a\n\r\n\r" + EVIL),
    Bad("CR in a value", b"GET / HTTP/1.1\r\nHost: a\r\nX: y\rTransfer-Encoding: chunked\r\n\r\n" + EVIL),
    Bad("LF in a value", b"GET / HTTP/1.1\r\nHost: a\r\nX: y\nTransfer-Encoding: chunked\r\n\r\n" + EVIL),
    Bad("an LF before", b"\nGET / HTTP/1.1\r\nHost: a\r\n\r\n" + EVIL),
    Bad("two empty lines before", b"\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n" + EVIL),
    Bad("white space before", b" GET / HTTP/1.1\r\nHost: a\r\n\r\n" + EVIL),
]

HOSTS = [
    Bad("no Host", request(host=None) + EVIL),
    Bad("no Host, absolute form", request(line=b"GET http://a/ HTTP/1.1", host=None) + EVIL),
    Bad("the same Host twice", request(b"Host: a") + EVIL),
    Bad("two Hosts", request(b"host: b") + EVIL),
    Bad("two Hosts, absolute form", request(b"Host: b", line=b"GET http://a/ HTTP/1.1") + EVIL),
    Bad("two Hosts in 1.0", request(b"Host: b", line=b"GET / HTTP/1.0") + EVIL),
    *[
        Bad(f"Host {value!r}", request(host=b"Host: " + value) + EVIL)
        for value in (
            b"", b"a b", b"a,b", b"a, b", b"a/b", b"a/", b"/", b"http://a", b"u@a", b"u:p@a", b"a:", b"a:x", b"a:-1",
            b"a:0", b"a:65536", b"a:99999999999", b":80", b"a:80:80", b"a?", b"a#", b"a%41", b"a%00", b"[::1", b"::1",
            b"[::1]x", b"[::1]:", b"[]", b"[g]", b"a\\b", b'"a"', b"<a>", b"a;b", b"a=b", b"a&b", b"a*", b"\xe9",
            b"a\xa0", b"a|b", b"a:80 x", b"[::1%25eth0]", b"[127.0.0.1]", b"a'b", b"(a)", b"a$b", b"a`b", b"a" * 300,
        )
    ],
]  # fmt: skip

REQUEST_LINES = _lines("method", [
    b" / HTTP/1.1", b"G(T / HTTP/1.1", b"GET, / HTTP/1.1", b"GE\xc9 / HTTP/1.1", b"[GET] / HTTP/1.1",
    b"get / HTTP/1.1", b"Get / HTTP/1.1", b"pOST / HTTP/1.1", b"GET: / HTTP/1.1", b"G@T / HTTP/1.1",
    b'"GET" / HTTP/1.1',
]) + _lines("target", [
    b"GET  HTTP/1.1", b"GET a HTTP/1.1", b"GET a/b HTTP/1.1", b"GET * HTTP/1.1", b"GET ? HTTP/1.1",
    b"GET /a b HTTP/1.1", b"GET  / HTTP/1.1", b"GET /  HTTP/1.1", b"GET\t/ HTTP/1.1", b"GET /\tHTTP/1.1",
    b"GET /#f HTTP/1.1", b"GET /\xe9 HTTP/1.1", b"GET /<a> HTTP/1.1", b'GET /"a" HTTP/1.1', b"GET /a\\b HTTP/1.1",
    b"GET http:/a HTTP/1.1", b"GET http:// HTTP/1.1", b"GET http:///a HTTP/1.1", b"GET ftp://a/ HTTP/1.1",
    b"GET file:///etc HTTP/1.1", b"GET //a:b@c HTTP/1.1 x", b"GET http://u@a/ HTTP/1.1",
    b"GET http://u:p@a/ HTTP/1.1", b"GET http://a:x/ HTTP/1.1", b"GET http://a:0/ HTTP/1.1",
    b"GET http://a b/ HTTP/1.1", b"GET http://[::1/ HTTP/1.1", b"GET a:80 HTTP/1.1", b"POST * HTTP/1.1",
    b"OPTIONS ** HTTP/1.1", b"CONNECT / HTTP/1.1", b"CONNECT a HTTP/1.1", b"CONNECT http://a:80/ HTTP/1.1",
    b"CONNECT a:80/ HTTP/1.1", b"CONNECT a:x HTTP/1.1", b"CONNECT a: HTTP/1.1", b"GET /%00 HTTP/1.1",
    b"GET /% HTTP/1.1", b"GET /%4 HTTP/1.1", b"GET /%zz HTTP/1.1", b"GET /a%0 HTTP/1.1", b"GET mailto:a HTTP/1.1",
    b"GET http://a#b HTTP/1.1",
]) + _lines("version", [
    b"GET /", b"GET / ", b"GET / HTTP", b"GET / HTTP/", b"GET / HTTP/1", b"GET / HTTP/1.", b"GET / HTTP/1.1 ",
    b"GET / http/1.1", b"GET / HTTP/1.10", b"GET / HTTP/01.1", b"GET / HTTP/1.1x", b"GET / HTTP 1.1",
    b"GET / HTTP/1,1", b"GET / HTTP/a.b", b"GET / HTTP /1.1", b"GET / XTTP/1.1", b"GET / HTTPS/1.1",
    b"GET / RTSP/1.0", b"GET / HTTP/+1.1", b"GET / HTTP/1.1\x0b", b"GET / ICAP/1.0", b"GET / HTTP/1..1", b"GET",
]) + _lines("version", [
    b"GET / HTTP/0.9", b"GET / HTTP/1.2", b"GET / HTTP/2.0", b"GET / HTTP/3.0", b"GET / HTTP/9.9", b"PRI * HTTP/2.0",
    b"GET / HTTP/0.0",
], 505)  # fmt: skip

OPTIONS = _heads("Connection", [
    b"Connection: " + value for value in (
        b"host", b"Content-Length", b"close, transfer-encoding", b"X-Forwarded-For", b"authorization", b"cookie",
        b"a b", b'"a"', b"a;b", b"a/b", b"a=b", b"\xe9", b"close close",
        b", ".join(b"a%d" % index for index in range(40)),
    )
]) + _heads("Expect", [
    b"Expect: " + value for value in (b"", b"100", b"100-continu", b"200-ok", b"100-continue, x", b"100-continue;a",
    b'"100-continue"')
], 417) + [
    Bad("Expect twice", request(b"Expect: 100-continue", b"Expect: 100-continue", line=POST) + EVIL, 417),
    Bad("Upgrade twice", request(b"Connection: upgrade", b"Upgrade: a", b"Upgrade: b") + EVIL),
    Bad("a bad Upgrade", request(b"Connection: upgrade", b"Upgrade: a b") + EVIL),
]  # fmt: skip

TOO_LARGE = [
    Bad("a long target", get(b"/" + b"a" * 8192) + EVIL, 414),
    Bad("a long method", request(line=b"A" * 9000 + b" / HTTP/1.1") + EVIL, 414),
    Bad("a long field", request(b"X: " + b"a" * 62000) + EVIL, 431),
    Bad("a long name", request(b"X" * 62000 + b": a") + EVIL, 431),
    Bad("many bytes", request(*(b"X%d: %s" % (index, b"a" * 1000) for index in range(90))) + EVIL, 431),
    Bad("many fields", request(*(b"X%d: a" % index for index in range(100))) + EVIL, 431),
    Bad("an endless line", b"GET /" + b"a" * 70000, 414),
    Bad("an endless field", b"GET / HTTP/1.1\r\nHost: a\r\nX: " + b"a" * 70000, 431),
]

SHORT = [*LENGTHS, *LENGTH_AND_CODING, *CODINGS, *FIELDS, *LINE_ENDS, *HOSTS, *REQUEST_LINES, *OPTIONS]
CONTROLS = _controls()
HEADS = [*SHORT, *CONTROLS, *TOO_LARGE]

# --- what goes wrong in a body: its head is good ---

CHUNKS = [
    Bad(name, post_chunked(body + EVIL, target=b"/chunks"), status)
    for faults, status in (([*CHUNK_FAULTS, *TOO_LARGE_CHUNKS], 400), (TOO_LARGE_TRAILERS, 431))
    for name, body in faults
]
