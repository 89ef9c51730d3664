"""HTTP/1 messages as bytes."""

from __future__ import annotations

SMUGGLED = b"/smuggled"
"""The target of what must never be read as a request."""


def request(*fields: bytes, line: bytes = b"GET / HTTP/1.1", host: bytes | None = b"Host: a") -> bytes:
    """A request head; `host` comes before the other field lines."""
    lines = [line, *([] if host is None else [host]), *fields]
    return b"".join(text + b"\r\n" for text in lines) + b"\r\n"


def response(*fields: bytes, line: bytes = b"HTTP/1.1 200 OK") -> bytes:
    """A response head."""
    return request(*fields, line=line, host=None)


def get(target: bytes, *fields: bytes) -> bytes:
    """A request without body."""
    return request(*fields, line=b"GET " + target + b" HTTP/1.1")


def post(body: bytes, *fields: bytes, target: bytes = b"/") -> bytes:
    """A request with Content-Length."""
    return request(b"Content-Length: %d" % len(body), *fields, line=b"POST " + target + b" HTTP/1.1") + body


def post_chunked(chunks: bytes, *fields: bytes, target: bytes = b"/") -> bytes:
    """A request with a chunked body, of which `chunks` is all the bytes."""
    return request(b"Transfer-Encoding: chunked", *fields, line=b"POST " + target + b" HTTP/1.1") + chunks


def ok(body: bytes, *fields: bytes) -> bytes:
    """A response with Content-Length."""
    return response(b"Content-Length: %d" % len(body), *fields) + body


def ok_chunked(chunks: bytes, *fields: bytes) -> bytes:
    """A response with a chunked body, so too."""
    return response(b"Transfer-Encoding: chunked", *fields) + chunks


def smuggled() -> bytes:
    """A whole request, to be put where a body or nothing should be."""
    return get(SMUGGLED)


def every_cut(data: bytes) -> list[tuple[bytes, bytes]]:
    """`data` in two parts, cut at every byte."""
    return [(data[:cut], data[cut:]) for cut in range(1, len(data))]
