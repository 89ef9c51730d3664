"""The HTTP server of the admin endpoint: h11 on the control thread's loop. Small on purpose, bounded everywhere."""

from __future__ import annotations

import asyncio
import socket
from urllib.parse import parse_qsl

import h11
import structlog

from mesh_core.config import Address, ConfigError, Fault, parse_address
from mesh_core.control.admin.pages import PAGES, Answer, text
from mesh_core.control.proxy import Proxy
from mesh_core.control.unix_socket_file import UnixSocketFile, bind_unix_socket

CONNECTIONS_LIMIT = 64
REQUEST_LIMIT_BYTES = 8192
IDLE_TIMEOUT_S = 30.0

log = structlog.get_logger("hopmesh.admin")


class AdminServer:
    """Serves the admin pages of one proxy."""

    def __init__(self, proxy: Proxy) -> None:
        self._proxy = proxy
        self._server: asyncio.Server | None = None
        self._file = UnixSocketFile(None)
        self._connections: set[asyncio.Task[None]] = set()
        self.address = ""

    async def start(self, address_text: str, name: str) -> None:
        """Listen. Raises ConfigError (with the configuration's `name`) when that fails."""
        address = parse_address(address_text)
        try:
            self._server = await self._listen(address)
        except OSError as error:
            message = f"cannot listen on {address_text}: {error.strerror}"
            hint = "choose another address, or stop the process that has it"
            raise ConfigError(name, (Fault("admin.address", None, None, message, hint),)) from error
        if address.family != socket.AF_UNIX:
            port = self._server.sockets[0].getsockname()[1]
            address = Address(address.family, address.host, port)
        self.address = str(address)

    async def _listen(self, address: Address) -> asyncio.Server:
        if address.family == socket.AF_UNIX:
            bound, self._file = bind_unix_socket(address, 0o600)
            try:
                return await asyncio.start_unix_server(self._accept, sock=bound)
            except OSError:
                bound.close()
                self._file.remove()
                raise
        return await asyncio.start_server(self._accept, address.host, address.port)

    async def close(self) -> None:
        """Stop listening and end every connection."""
        if self._server is not None:
            self._server.close()
        for task in self._connections:
            task.cancel()
        await asyncio.gather(*self._connections, return_exceptions=True)
        self._file.remove()

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        if len(self._connections) >= CONNECTIONS_LIMIT:
            writer.transport.abort()
            return
        self._connections.add(task)
        try:
            await self._serve(reader, writer)
            writer.close()
            async with asyncio.timeout(IDLE_TIMEOUT_S):
                await writer.wait_closed()
        except (OSError, asyncio.CancelledError):
            # A time-out is an OSError too. Only `close` cancels, and nobody waits for this task but `close`:
            # asyncio's streams would log a task that ends cancelled.
            pass
        finally:
            # Whoever does not read the answer must not hold up the end: neither that of this task nor of the process.
            writer.transport.abort()
            self._connections.discard(task)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        http = h11.Connection(h11.SERVER, max_incomplete_event_size=REQUEST_LIMIT_BYTES)
        while True:
            try:
                request = await _next_request(http, reader, writer)
            except h11.RemoteProtocolError as error:
                if http.our_state in (h11.IDLE, h11.SEND_RESPONSE):
                    await _send(http, writer, text(f"{error}\n", error.error_status_hint), b"GET")
                return
            if request is None:
                return
            answer = await self._answer(request)
            await _send(http, writer, answer, request.method)
            if http.our_state is not h11.DONE or http.their_state is not h11.DONE:
                return
            http.start_next_cycle()

    async def _answer(self, request: h11.Request) -> Answer:
        path, _, query = request.target.decode("ascii", "replace").partition("?")
        if request.http_version not in (b"1.0", b"1.1"):
            return text("only HTTP/1.0 and HTTP/1.1 are spoken here\n", 505)
        page = PAGES.get(path)
        method = request.method.decode("ascii")
        if page is None:
            return text(f"no page {path}; / lists them\n", 404)
        allowed = (page.method, "HEAD") if page.method == "GET" else (page.method,)
        if method not in allowed:
            refusal = text(f"{path} is for {page.method} only\n", 405)
            return refusal._replace(headers=(("allow", ", ".join(allowed)),))
        if method == "POST" and _sent_by_a_web_page(request):
            return text("refused: sent by a web page; use a command line\n", 403)
        try:
            return await page.answer(self._proxy, dict(parse_qsl(query, keep_blank_values=True)))
        except Exception:
            log.exception("admin page failed", path=path)
            return text("internal error; see the log\n", 500)


def _sent_by_a_web_page(request: h11.Request) -> bool:
    """Whether a browser marks the request so: any page may send a POST to loopback, and none has business here."""
    return any(name in (b"origin", b"sec-fetch-site") for name, _value in request.headers)


async def _next_request(
    http: h11.Connection, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
) -> h11.Request | None:
    """The next request, its body read and dropped; None at the end. Raises TimeoutError, RemoteProtocolError."""
    request: h11.Request | None = None
    async with asyncio.timeout(IDLE_TIMEOUT_S):
        while True:
            event = http.next_event()
            if event is h11.NEED_DATA:
                if http.they_are_waiting_for_100_continue:
                    writer.write(http.send(h11.InformationalResponse(status_code=100, headers=[])) or b"")
                http.receive_data(await reader.read(REQUEST_LIMIT_BYTES))
            elif isinstance(event, h11.Request):
                request = event
            elif isinstance(event, h11.EndOfMessage):
                return request
            elif isinstance(event, h11.ConnectionClosed) or event is h11.PAUSED:
                return None


async def _send(http: h11.Connection, writer: asyncio.StreamWriter, answer: Answer, method: bytes) -> None:
    headers = [
        ("content-type", answer.content_type),
        ("content-length", str(len(answer.body))),
        ("cache-control", "no-store"),
        ("x-content-type-options", "nosniff"),
        *answer.headers,
    ]
    out = http.send(h11.Response(status_code=answer.status, headers=headers)) or b""
    if method != b"HEAD":
        out += http.send(h11.Data(data=answer.body)) or b""
    out += http.send(h11.EndOfMessage()) or b""
    writer.write(out)
    async with asyncio.timeout(IDLE_TIMEOUT_S):
        await writer.drain()
