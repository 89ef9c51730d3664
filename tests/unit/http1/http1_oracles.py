"""One message read by three: by us, by h11 and, through httptools, by llhttp.

Each reader gives a Message, or None when it refuses or lacks bytes.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, field

import h11
import httptools

from mesh_core._testing.http1 import Chunks, Head, Refused

Fields = list[tuple[bytes, bytes]]


@dataclass
class Message:
    """What was read; of a response `start` is its version, status and reason."""

    start: tuple[bytes, ...]
    fields: Fields = field(default_factory=list)
    body: bytes = b""
    trailers: Fields = field(default_factory=list)
    keep_alive: bool = False
    size: int = 0  # of the whole message in the input; only of ours


def read(kind: str, data: bytes, method: bytes = b"GET", asked: bool = False) -> Message | None:
    """By our codec. A tunnel is a message without body, one until close takes all that there is."""
    head = Head(kind)
    try:
        if not head.feed(data):
            return None
        framing = head.judge(method, asked)
        rest = data[head.size :]
        found = Message(start_of(head), head.fields, keep_alive=framing["keep_alive"], size=head.size)
        if framing["body"] == "length":
            found.body = rest[: framing["length"]]
            if len(found.body) < framing["length"]:
                return None
        elif framing["body"] == "until_close":
            found.body = rest
        elif framing["body"] == "chunked":
            return read_chunks(found, rest)
        found.size += len(found.body)
        return found
    except Refused:
        return None


def start_of(head: Head) -> tuple[bytes, ...]:
    start = head.start
    version = start["version"].encode()
    if "status" in start:
        return version, b"%d" % start["status"], start["reason"]
    return version, start["method"], start["target"]


def read_chunks(found: Message, rest: bytes) -> Message | None:
    chunks, trailers = Chunks(), Head("trailers")
    taken = chunks.feed(rest)
    if not chunks.ended or not trailers.feed(rest[taken:]):
        return None
    trailers.judge()
    found.body, found.trailers = chunks.body, trailers.fields
    found.size += taken + trailers.size
    return found


# --- h11 ---

def read_by_h11(kind: str, data: bytes, method: bytes = b"GET", asked: bool = False) -> Message | None:
    connection = h11.Connection(h11.SERVER if kind == "request" else h11.CLIENT)
    if kind == "response":
        target = "a:1" if method == b"CONNECT" else "/"
        upgrade = [("Connection", "upgrade"), ("Upgrade", "websocket")] if asked else []
        connection.send(h11.Request(method=method, target=target, headers=[("Host", "a"), *upgrade]))
        connection.send(h11.EndOfMessage())
    try:
        connection.receive_data(data)
        connection.receive_data(b"")
        return collect(connection)
    except h11.RemoteProtocolError:
        return None


def collect(connection: h11.Connection) -> Message | None:
    found = None
    while True:
        event = connection.next_event()
        if isinstance(event, h11.Request):
            found = Message((event.http_version, event.method, event.target), list(event.headers.raw_items()))
        elif isinstance(event, h11.Response | h11.InformationalResponse):
            start = (event.http_version, b"%d" % event.status_code, bytes(event.reason))
            found = Message(start, list(event.headers.raw_items()))
            if isinstance(event, h11.InformationalResponse):
                return found
        elif isinstance(event, h11.Data):
            assert found is not None
            found.body += bytes(event.data)
        elif isinstance(event, h11.EndOfMessage):
            assert found is not None
            found.trailers = list(event.headers.raw_items())
            return found
        else:
            # A tunnel has begun, or there is nothing more.
            return found if event is h11.PAUSED else None


# --- llhttp ---

class Protocol:
    """What httptools calls."""

    def __init__(self, reader: type[httptools.HttpRequestParser] | type[httptools.HttpResponseParser]) -> None:
        self.parser = reader(self)
        self.url, self.reason, self.body = b"", b"", b""
        self.fields: Fields = []
        self.trailers: Fields = []
        self.in_body = self.keep_alive = False

    def on_url(self, url: bytes) -> None:
        self.url += url

    def on_status(self, status: bytes) -> None:
        self.reason += status

    def on_header(self, name: bytes, value: bytes) -> None:
        (self.trailers if self.in_body else self.fields).append((name, value))

    def on_headers_complete(self) -> None:
        self.in_body = True
        self.keep_alive = self.parser.should_keep_alive()

    def on_body(self, body: bytes) -> None:
        self.body += body


def read_by_llhttp(kind: str, data: bytes) -> Message | None:
    """`data` must be one message; llhttp cannot be told what request a response is for."""
    protocol = Protocol(httptools.HttpRequestParser if kind == "request" else httptools.HttpResponseParser)
    parser = protocol.parser
    try:
        with suppress(httptools.HttpParserUpgrade):
            parser.feed_data(data)
    except httptools.HttpParserError:
        return None
    version = parser.get_http_version().encode()
    if kind == "request":
        start = (version, parser.get_method(), protocol.url)
    else:
        start = (version, b"%d" % parser.get_status_code(), protocol.reason)
    return Message(start, protocol.fields, protocol.body, protocol.trailers, protocol.keep_alive)
