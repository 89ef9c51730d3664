"""One HTTP/1 message read by three that are not ours: h11, llhttp (through httptools), and a grammar of the strictest.

What the proxy sends, either way, all three must read as the same message.
"""

from __future__ import annotations

import re
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Literal

import h11
import httptools

Kind = Literal["request", "response"]
Fields = list[tuple[bytes, bytes]]

_EVENT_LIMIT = 1 << 20


class Malformed(AssertionError):
    """What was read is no message."""


class CutShort(Exception):
    """The stream ended within a message."""


@dataclass
class Message:
    """A request: `start` is its method and target; or a response: its status and reason."""

    start: tuple[bytes, bytes]
    version: bytes
    fields: Fields = field(default_factory=list)
    body: bytes = b""
    trailers: Fields = field(default_factory=list)
    raw: bytes = b""

    def values(self, name: bytes) -> list[bytes]:
        """The values of all fields of that name."""
        return [value for other, value in self.fields if other.lower() == name.lower()]

    @property
    def target(self) -> bytes:
        """Of a request."""
        return self.start[1]

    @property
    def status(self) -> int:
        """Of a response."""
        return int(self.start[0])


class MessageReader:
    """Reads one message with h11, as bytes come. A response's 1xx, but 101, are kept in `interim`."""

    def __init__(self, kind: Kind, method: bytes = b"GET", upgrades: bool = False) -> None:
        """`method`, `upgrades`: of the request that a response answers."""
        self.kind = kind
        self.method = method
        self.interim: list[Message] = []
        self.message: Message | None = None
        self.complete = False
        self._fed = bytearray()
        self._connection = h11.Connection(h11.SERVER if kind == "request" else h11.CLIENT, _EVENT_LIMIT)
        if kind == "response":
            asks = [("Connection", "upgrade"), ("Upgrade", "any")] if upgrades else []
            target = "a:1" if method == b"CONNECT" else "/"
            self._connection.send(h11.Request(method=method, target=target, headers=[("Host", "a"), *asks]))
            self._connection.send(h11.EndOfMessage())

    def feed(self, data: bytes) -> bool:
        """Read on; empty `data` says that the stream has ended. True once the message is complete."""
        self._fed += data
        try:
            self._connection.receive_data(data)
            while not self.complete and self._take(self._connection.next_event()):
                pass
        except h11.RemoteProtocolError as fault:
            if not data:
                raise CutShort from None
            raise Malformed(f"h11: {fault}: {bytes(self._fed)!r}") from None
        if self.complete and self.message is not None and not self.message.raw:
            self.message.raw = bytes(self._fed[: len(self._fed) - len(self.rest)])
            check(self)
        return self.complete

    @property
    def rest(self) -> bytes:
        """What came behind the message."""
        return self._connection.trailing_data[0]

    @property
    def begun(self) -> bool:
        """Whether anything has come."""
        return bool(self._fed)

    def _take(self, event: object) -> bool:
        if isinstance(event, h11.Request):
            self.message = Message((event.method, event.target), event.http_version, event.headers.raw_items())
        elif isinstance(event, h11.Response | h11.InformationalResponse):
            start = (b"%d" % event.status_code, bytes(event.reason))
            self.message = Message(start, event.http_version, event.headers.raw_items())
            if event.status_code == 101 or (self.method == b"CONNECT" and 200 <= event.status_code < 300):
                self.complete = True
            elif event.status_code < 200:
                self.interim.append(self.message)
                self.message = None
        elif isinstance(event, h11.Data):
            assert self.message is not None
            self.message.body += bytes(event.data)
        elif isinstance(event, h11.EndOfMessage):
            assert self.message is not None
            self.message.trailers = event.headers.raw_items()
            self.complete = True
        else:
            return False  # more has to come
        return True


def check(reader: MessageReader) -> None:
    """The two others read the complete message as h11 did."""
    message = reader.message
    assert message is not None
    strict = read_strictly(reader.kind, message.raw, reader.method)
    _compare("the grammar", strict, message)
    assert len(strict.interim) == len(reader.interim)
    if reader.kind == "request" or reader.method not in (b"HEAD", b"CONNECT"):
        llhttp = read_by_llhttp(reader.kind, message.raw)
        if llhttp is not None:
            _compare("llhttp", llhttp, message)


def _compare(who: str, theirs: Message, ours: Message) -> None:
    def comparable(message: Message) -> tuple[object, ...]:
        start = message.start if not message.start[0].isdigit() else (message.start[0],)
        return start, message.version, message.fields, message.body, message.trailers

    if comparable(theirs) != comparable(ours):
        raise Malformed(f"{who} reads {theirs!r}, h11 {ours!r}")


# --- llhttp ---

LLHTTP_METHODS = frozenset(
    b"DELETE GET HEAD POST PUT CONNECT OPTIONS TRACE COPY LOCK MKCOL MOVE PROPFIND PROPPATCH SEARCH UNLOCK BIND REBIND "
    b"UNBIND ACL REPORT MKACTIVITY CHECKOUT MERGE M-SEARCH NOTIFY SUBSCRIBE UNSUBSCRIBE PATCH PURGE MKCALENDAR LINK "
    b"UNLINK SOURCE QUERY".split()
)


class _Protocol:
    """What httptools calls; `found` gets a message for each head."""

    def __init__(self, kind: Kind) -> None:
        self.kind = kind
        self.parser = (httptools.HttpRequestParser if kind == "request" else httptools.HttpResponseParser)(self)
        self.found: list[Message] = []
        self._first = b""
        self._fields: Fields = []
        self._in_body = False

    def on_message_begin(self) -> None:
        self._first, self._fields, self._in_body = b"", [], False

    def on_url(self, url: bytes) -> None:
        self._first += url

    def on_status(self, status: bytes) -> None:
        self._first += status

    def on_header(self, name: bytes, value: bytes) -> None:
        (self.found[-1].trailers if self._in_body else self._fields).append((name, value.rstrip(b" \t")))

    def on_headers_complete(self) -> None:
        self._in_body = True
        if self.kind == "request":
            start = (self.parser.get_method(), self._first)
        else:
            start = (b"%d" % self.parser.get_status_code(), self._first)
        self.found.append(Message(start, self.parser.get_http_version().encode(), self._fields))

    def on_body(self, body: bytes) -> None:
        self.found[-1].body += body


def read_by_llhttp(kind: Kind, raw: bytes) -> Message | None:
    """The message that `raw` is, whatever 1xx come before it; None for a method that llhttp does not know."""
    if kind == "request" and raw.split(b" ", 1)[0] not in LLHTTP_METHODS:
        return None
    protocol = _Protocol(kind)
    try:
        with suppress(httptools.HttpParserUpgrade):
            protocol.parser.feed_data(raw)
    except httptools.HttpParserError as fault:
        raise Malformed(f"llhttp: {fault}: {raw!r}") from None
    if not protocol.found or any(int(message.start[0]) >= 200 for message in protocol.found[:-1]):
        raise Malformed(f"llhttp finds {protocol.found!r} in {raw!r}")
    return protocol.found[-1]


# --- the grammar ---

_TOKEN = rb"[!#$%&'*+\-.^_`|~0-9A-Za-z]+"
_TEXT = rb"[^\x00-\x08\x0a-\x1f\x7f]*"
_FIELD = re.compile(rb"(" + _TOKEN + rb"): ((?! |\t)" + _TEXT + rb")(?<!\t)\r\n")
_REQUEST_LINE = re.compile(rb"(" + _TOKEN + rb") ([^\x00-\x20\x7f]+) HTTP/(1\.1)\r\n")
_STATUS_LINE = re.compile(rb"HTTP/(1\.1) ([1-9][0-9][0-9]) (" + _TEXT + rb")\r\n")
_CHUNK_LINE = re.compile(rb"([0-9a-f]+)\r\n")
_LENGTH = re.compile(rb"0|[1-9][0-9]{0,18}")


@dataclass
class Strict(Message):
    """A message, and the 1xx before it."""

    interim: list[Message] = field(default_factory=list)


class _Text:
    """Bytes that are taken from the front."""

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.at = 0

    def match(self, pattern: re.Pattern[bytes]) -> re.Match[bytes]:
        found = pattern.match(self.data, self.at)
        if found is None:
            raise Malformed(f"at {self.at} of {self.data!r}")
        self.at = found.end()
        return found

    def take(self, size: int) -> bytes:
        if len(self.data) - self.at < size:
            raise Malformed(f"{self.data!r} lacks bytes")
        self.at += size
        return self.data[self.at - size : self.at]

    def fields(self) -> Fields:
        found = []
        while self.data[self.at : self.at + 2] != b"\r\n":
            found.append(self.match(_FIELD).group(1, 2))
        self.at += 2
        return found


def read_strictly(kind: Kind, raw: bytes, method: bytes = b"GET") -> Strict:
    """The one message that `raw` must be: every byte of it as the proxy should have written it."""
    text, interim = _Text(raw), []
    while True:
        found = Strict(*_start(kind, text), text.fields())
        if kind == "request" or found.status >= 200 or found.status == 101:
            break
        _check_framing_fields(kind, found)
        interim.append(found)
    found.interim = list(interim)
    _check_framing_fields(kind, found)
    if kind == "request" or not _is_bodiless(found.status, method):
        _read_body(kind, text, found)
    if text.at != len(raw):
        raise Malformed(f"more than a message: {raw!r}")
    return found


def _start(kind: Kind, text: _Text) -> tuple[tuple[bytes, bytes], bytes]:
    if kind == "request":
        method, target, version = text.match(_REQUEST_LINE).group(1, 2, 3)
        return (method, target), version
    version, status, reason = text.match(_STATUS_LINE).group(1, 2, 3)
    return (status, reason), version


def _is_bodiless(status: int, method: bytes) -> bool:
    return status in (101, 204, 304) or method == b"HEAD" or (method == b"CONNECT" and 200 <= status < 300)


def _check_framing_fields(kind: Kind, message: Message) -> None:
    lengths, codings = message.values(b"Content-Length"), message.values(b"Transfer-Encoding")
    faults = [
        len(lengths) + len(codings) > 1,
        any(_LENGTH.fullmatch(length) is None for length in lengths),
        any(coding != b"chunked" for coding in codings),
        len(message.values(b"Connection")) > 1,
        kind == "request" and len(message.values(b"Host")) != 1,
        kind == "response" and (message.status < 200 or message.status == 204) and bool(lengths + codings),
    ]
    if any(faults):
        raise Malformed(f"framing: {message!r}")


def _read_body(kind: Kind, text: _Text, message: Message) -> None:
    lengths = message.values(b"Content-Length")
    if lengths:
        message.body = text.take(int(lengths[0]))
    elif message.values(b"Transfer-Encoding"):
        while size := int(text.match(_CHUNK_LINE).group(1), 16):
            message.body += text.take(size)
            if text.take(2) != b"\r\n":
                raise Malformed(f"a chunk's end: {text.data!r}")
        message.trailers = text.fields()
    elif kind == "response":
        if message.values(b"Connection") != [b"close"]:
            raise Malformed(f"until the end, but not said so: {message!r}")
        message.body = text.take(len(text.data) - text.at)
