"""What the proxy's own codec makes of a stream of bytes: what should come of it, wherever it was cut."""

from __future__ import annotations

from dataclasses import dataclass, field

from mesh_core._testing.http1 import Chunks, Head, Refused
from tests.support.http_oracles import Fields, Kind


@dataclass
class Expected:
    """A message as it should be passed on."""

    start: tuple[bytes, bytes]
    fields: Fields
    body: bytes = b""
    trailers: Fields = field(default_factory=list)
    keep_alive: bool = True
    size: int = 0


def read_stream(kind: Kind, data: bytes, method: bytes = b"GET") -> list[Expected]:
    """The complete messages at the begin of `data`, up to one that is cut short or refused, or is the last."""
    found: list[Expected] = []
    while data:
        try:
            message = _read(kind, data, method)
        except Refused:
            break
        if message is None:
            break
        found.append(message)
        data = data[message.size :]
        if not message.keep_alive and not (kind == "response" and message.start[0] < b"200"):
            break
    return found


def _read(kind: Kind, data: bytes, method: bytes) -> Expected | None:
    head = Head(kind)
    if not head.feed(data):
        return None
    framing = head.judge(method, False)
    start = head.start
    both = (start["method"], start["target"]) if kind == "request" else (b"%d" % start["status"], start["reason"])
    rest = data[head.size :]
    found = Expected(both, head.kept, keep_alive=framing["keep_alive"], size=head.size)
    if framing["body"] == "length":
        found.body = rest[: framing["length"]]
        if len(found.body) < framing["length"]:
            return None
    elif framing["body"] == "until_close":
        found.body = rest
    elif framing["body"] == "chunked":
        return _read_chunks(found, rest)
    found.size += len(found.body)
    return found


def _read_chunks(found: Expected, rest: bytes) -> Expected | None:
    chunks, trailers = Chunks(), Head("trailers")
    taken = chunks.feed(rest)
    if not chunks.ended or not trailers.feed(rest[taken:]):
        return None
    trailers.judge()
    found.body, found.trailers = chunks.body, trailers.fields
    found.size += taken + trailers.size
    return found
