"""HTTP/1.1 on the control thread's loop, by h11: small on purpose, bounded everywhere. Pages are up to others."""

from __future__ import annotations

import asyncio
import socket
import struct
from collections.abc import AsyncGenerator, Callable
from typing import NamedTuple
from urllib.parse import parse_qsl

import h11
import structlog

from mesh_core.control.control_server import ControlServer

HEAD_LIMIT_BYTES = 8192
READ_BYTES = 64 * 1024
IDLE_TIMEOUT_S = 30.0
"""For a request to come whole, and for a part of an answer to be taken."""

log = structlog.get_logger("hopmesh.http")


class Request(NamedTuple):
    """A request, whole. `headers` have lower-case names; of one that comes twice, the last counts."""

    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    body: bytes
    peer_user: int | None
    """The user id of a peer on a Unix socket."""


class Answer(NamedTuple):
    """What is said to a request. A body that is a generator goes out part by part, until the peer leaves."""

    status: int
    body: bytes | AsyncGenerator[bytes, None]
    content_type: str = "text/plain; charset=utf-8"
    headers: tuple[tuple[str, str], ...] = ()


def text(body: str, status: int = 200) -> Answer:
    """A plain text answer."""
    return Answer(status, body.encode())


def sent_by_a_web_page(request: Request) -> bool:
    """Whether a browser marks the request so: any page may send a POST to loopback, and none has business there."""
    return "origin" in request.headers or "sec-fetch-site" in request.headers


class HttpServer(ControlServer):
    """Reads requests, one after the other, and sends what `_answer` gives."""

    body_limit_bytes: int | None = None
    """What a request's body may have; with None it is dropped as it comes."""
    bodies_limit_bytes = 0
    """What all of them together may have at any time."""

    def __init__(self) -> None:
        super().__init__()
        self._bodies_bytes = 0

    async def _answer(self, request: Request) -> Answer:
        raise NotImplementedError

    def _refusal(self, status: int, reason: str) -> Answer:
        """What is said to a request that `_answer` is not asked."""
        return text(f"{reason}\n", status)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        http = h11.Connection(h11.SERVER, max_incomplete_event_size=HEAD_LIMIT_BYTES)
        connection = _Connection(http, reader, writer, self._take_body)
        try:
            await self._converse(http, connection)
        finally:
            self._bodies_bytes -= connection.body_bytes

    async def _converse(self, http: h11.Connection, connection: _Connection) -> None:
        while True:
            try:
                request = await connection.next_request()
            except _RefusedError as refusal:
                if http.our_state in (h11.IDLE, h11.SEND_RESPONSE):
                    await connection.send(self._refusal(refusal.status, str(refusal)), "GET")
                return
            if request is None:
                return
            with self._busy():
                answer = await self._safe_answer(request)
                if isinstance(answer.body, bytes):
                    await connection.send(answer, request.method)
            if not isinstance(answer.body, bytes):
                await connection.send_parts(answer, answer.body)
                return
            if self._ending or http.our_state is not h11.DONE or http.their_state is not h11.DONE:
                return
            http.start_next_cycle()
            self._bodies_bytes -= connection.body_bytes
            connection.body_bytes = 0

    def _take_body(self, connection: _Connection, size: int) -> bool:
        """Make room for more of a body; False where bodies are dropped. Raises _RefusedError."""
        if self.body_limit_bytes is None:
            return False
        if connection.body_bytes + size > self.body_limit_bytes:
            raise _RefusedError(413, f"a request of more than {self.body_limit_bytes} bytes")
        if self._bodies_bytes + size > self.bodies_limit_bytes:
            raise _RefusedError(503, "too many large requests at once")
        connection.body_bytes += size
        self._bodies_bytes += size
        return True

    async def _safe_answer(self, request: Request) -> Answer:
        try:
            return await self._answer(request)
        except Exception:
            log.exception("request failed", method=request.method, path=request.path)
            return self._refusal(500, "internal error; see the log")


class _RefusedError(Exception):
    """What came is no request, or one that is too large."""

    def __init__(self, status: int, reason: str) -> None:
        super().__init__(reason)
        self.status = status


class _Connection:
    """One connection: bytes to requests, answers to bytes."""

    def __init__(
        self,
        http: h11.Connection,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        take_body: Callable[[_Connection, int], bool],
    ) -> None:
        self._http = http
        self._reader = reader
        self._writer = writer
        self._take_body = take_body
        self.body_bytes = 0
        """What is held of the body of the request that is being read or answered."""

    async def next_request(self) -> Request | None:
        """The next one; None at the end. Raises TimeoutError, _RefusedError."""
        head: h11.Request | None = None
        body: list[bytes] = []
        keeps = False
        received = 0
        async with asyncio.timeout(IDLE_TIMEOUT_S):
            while True:
                try:
                    event = self._http.next_event()
                except h11.RemoteProtocolError as error:
                    raise _RefusedError(error.error_status_hint, str(error)) from error
                if event is h11.NEED_DATA:
                    if self._http.they_are_waiting_for_100_continue:
                        go_on = h11.InformationalResponse(status_code=100, headers=[])
                        self._writer.write(self._http.send(go_on) or b"")
                    self._http.receive_data(await self._reader.read(HEAD_LIMIT_BYTES if head is None else READ_BYTES))
                elif isinstance(event, h11.Request):
                    head = event
                    announced = next((int(value) for name, value in head.headers if name == b"content-length"), 0)
                    keeps = self._take_body(self, announced)
                elif isinstance(event, h11.Data) and keeps:
                    received += len(event.data)
                    self._take_body(self, max(0, received - self.body_bytes))
                    body.append(bytes(event.data))
                elif isinstance(event, h11.EndOfMessage):
                    assert head is not None
                    return self._request(head, b"".join(body))
                elif isinstance(event, h11.ConnectionClosed) or event is h11.PAUSED:
                    return None

    def _request(self, head: h11.Request, body: bytes) -> Request:
        if head.http_version not in (b"1.0", b"1.1"):
            raise _RefusedError(505, "only HTTP/1.0 and HTTP/1.1 are spoken here")
        path, _, query = head.target.decode("ascii", "replace").partition("?")
        return Request(
            method=head.method.decode("ascii"),
            path=path,
            query=dict(parse_qsl(query, keep_blank_values=True)),
            headers={name.decode("ascii"): value.decode("latin-1") for name, value in head.headers},
            body=body,
            peer_user=_peer_user(self._writer),
        )

    async def send(self, answer: Answer, method: str) -> None:
        """Send an answer, without its body to HEAD. Raises OSError, TimeoutError."""
        assert isinstance(answer.body, bytes)
        out = self._head(answer, [("content-length", str(len(answer.body)))])
        if method != "HEAD":
            out += self._http.send(h11.Data(data=answer.body)) or b""
        out += self._http.send(h11.EndOfMessage()) or b""
        await self._write(out)

    async def send_parts(self, answer: Answer, parts: AsyncGenerator[bytes, None]) -> None:
        """Send an answer as its parts come, until they or the peer end. Raises OSError, TimeoutError."""
        # Whoever reads a stream has nothing more to say: a byte, or the end, means that nobody reads any more.
        gone = asyncio.ensure_future(self._reader.read(1))
        part: asyncio.Future[bytes | None] | None = None
        try:
            await self._write(self._head(answer, []))
            while True:
                part = asyncio.ensure_future(_next_part(parts))
                await asyncio.wait((gone, part), return_when=asyncio.FIRST_COMPLETED)
                if gone.done():
                    return
                data = part.result()
                if data is None:
                    break
                await self._write(self._http.send(h11.Data(data=data)) or b"")
            await self._write(self._http.send(h11.EndOfMessage()) or b"")
        finally:
            left = [each for each in (gone, part) if each is not None]
            for each in left:
                each.cancel()
            await asyncio.gather(*left, return_exceptions=True)
            await parts.aclose()

    def _head(self, answer: Answer, framing: list[tuple[str, str]]) -> bytes:
        headers = [
            ("content-type", answer.content_type),
            *framing,
            ("cache-control", "no-store"),
            ("x-content-type-options", "nosniff"),
            *answer.headers,
        ]
        return self._http.send(h11.Response(status_code=answer.status, headers=headers)) or b""

    async def _write(self, data: bytes) -> None:
        self._writer.write(data)
        async with asyncio.timeout(IDLE_TIMEOUT_S):
            await self._writer.drain()


def _peer_user(writer: asyncio.StreamWriter) -> int | None:
    """The user id of a peer on a Unix socket, as it was when it connected."""
    connection = writer.get_extra_info("socket")
    if connection is None or connection.family != socket.AF_UNIX:
        return None
    _pid, user, _group = struct.unpack("3i", connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12))
    return int(user)


async def _next_part(parts: AsyncGenerator[bytes, None]) -> bytes | None:
    return await anext(parts, None)
