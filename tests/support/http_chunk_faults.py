"""Chunked bodies that must not be taken: why, and the bytes up to where the body would end."""

from __future__ import annotations

Faults = list[tuple[str, bytes]]


def _faults(name: str, bodies: list[bytes]) -> Faults:
    return [(f"{name}: {body[:60]!r}", body) for body in bodies]


CHUNK_FAULTS = _faults("chunk size", [
    size + b"\r\nhello\r\n0\r\n\r\n" for size in (
        b"", b"x", b"-5", b"+5", b"0x5", b"5 ", b" 5", b"5\t", b"\t5", b"g", b"5h", b"5,", b"5.0",
        b"8000000000000000", b"ffffffffffffffff", b"10000000000000005", b"100000000000000005", b"f" * 40, b"5_",
        b"\xb5", b'"5"', b"5\x0b", b"5\x00", b"\x005", b"5\n", b"\xef\xbb\xbf5", b"5-", b"5:", b"5=a", b"5\r",
    )
]) + _faults("extension", [
    b"5" + extension + b"\r\nhello\r\n0\r\n\r\n" for extension in (
        b";", b"; a", b" ;a", b";a ", b";a= b", b";a =b", b";=b", b";a=", b';a="', b';a="b', b';a="b"c', b";;a",
        b";a;", b";a=b=c", b";a\x00", b";a=\x01", b';a="\x7f"', b";a\nb", b";a\rb", b';a="\n"', b';a="\r\nx"',
        b";\xff", b";a=\xff", b";a,b", b";a b", b';a="b\\', b";(a)",
    )
]) + _faults("chunk end", [
    b"5\r\nhello0\r\n\r\n", b"5\r\nhello\n0\r\n\r\n", b"5\r\nhello\r0\r\n\r\n", b"5\r\nhellox\r\n0\r\n\r\n",
    b"5\r\nhello\r\r\n0\r\n\r\n", b"5\r\nhello \r\n0\r\n\r\n", b"5\r\nhello\r\n\r\n0\r\n\r\n",
    b"4\r\nhello\r\n0\r\n\r\n", b"6\r\nhello\r\n0\r\n\r\n", b"5\nhello\r\n0\r\n\r\n", b"5\r\nhello\r\n0\n\r\n",
    b"5\r\nhello\r\n0\r\n\n", b"5\r\nhello\r\n0\r\r\n\r\n", b"5\r\nhello\r\n0x\r\n\r\n", b"5\r\nhello\r\n\n0\r\n\r\n",
]) + _faults("trailer", [
    b"5\r\nhello\r\n0\r\n" + trailer + b"\r\n\r\n" for trailer in (
        b"Content-Length: 5", b"Transfer-Encoding: chunked", b"Host: b", b"Connection: close", b"Authorization: x",
        b"Cookie: a", b"Content-Type: a/b", b"Content-Encoding: gzip", b"Trailer: x", b"TE: trailers", b"Upgrade: x",
        b"Expect: 100-continue", b"X-Forwarded-For: 1.2.3.4", b"Set-Cookie: a=b", b"Cache-Control: x", b"X : y",
        b": y", b" x: y", b"x: y\r\n z", b"x", b"x: \x00", b"x: a\rb", b"x: a\nb", b"x\x00: a",
        b"x: y\nContent-Length: 5", b"GET /smuggled HTTP/1.1",
    )
])  # fmt: skip

TOO_LARGE = _faults("too large", [
    b"5;" + b"a" * 2000 + b"\r\nhello\r\n0\r\n\r\n", b"0" * 2000 + b"5\r\nhello\r\n0\r\n\r\n",
    (b"1;" + b"a" * 1000 + b"\r\nx\r\n") * 20 + b"0\r\n\r\n",
])  # fmt: skip
TOO_LARGE_TRAILERS = _faults("too large", [
    b"0\r\nX: " + b"a" * 62000 + b"\r\n\r\n", b"0\r\n" + b"x: y\r\n" * 101 + b"\r\n",
])  # fmt: skip
