"""The HTTP server of the admin endpoint: h11 on the control thread's loop. Small on purpose, bounded everywhere."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from pathlib import Path
from urllib.parse import parse_qsl, urlsplit

import h11
import structlog

from mesh_core.config import Address, ConfigError, Fault, parse_address
from mesh_core.control.admin.pages import PAGES, Answer, text
from mesh_core.control.proxy import Proxy

CONNECTIONS_LIMIT = 64
REQUEST_LIMIT_BYTES = 8192
IDLE_TIMEOUT_S = 30.0

log = structlog.get_logger("hopmesh.admin")


class AdminServer:
    """Serves the admin pages of one proxy."""

    def __init__(self, proxy: Proxy) -> None:
        self._proxy = proxy
        self._server: asyncio.Server | None = None
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
            if not address.is_abstract:
                Path(address.path).unlink(missing_ok=True)
            path = "\0" + address.path[1:] if address.is_abstract else address.path
            server = await asyncio.start_unix_server(self._accept, path)
            if not address.is_abstract:
                Path(address.path).chmod(0o600)
            return server
        return await asyncio.start_server(self._accept, address.host, address.port)

    async def close(self) -> None:
        """Stop listening and end every connection."""
        if self._server is not None:
            self._server.close()
        for task in self._connections:
            task.cancel()
        await asyncio.gather(*self._connections, return_exceptions=True)

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        if len(self._connections) >= CONNECTIONS_LIMIT:
            writer.transport.abort()
            return
        self._connections.add(task)
        try:
            await self._serve(reader, writer)
        except (ConnectionError, TimeoutError):
            pass
        finally:
            self._connections.discard(task)
            writer.close()
            with contextlib.suppress(ConnectionError, TimeoutError):
                await writer.wait_closed()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        http = h11.Connection(h11.SERVER, max_incomplete_event_size=REQUEST_LIMIT_BYTES)
        while True:
            try:
                request = await _next_request(http, reader)
            except h11.RemoteProtocolError as error:
                if http.our_state in (h11.IDLE, h11.SEND_RESPONSE):
                    await _send(http, writer, text(f"{error}\n", error.error_status_hint), b"GET")
                return
            if request is None:
                return
            answer = await self._answer(request)
            await _send(http, writer, answer, request.method)
            if http.our_state is h11.MUST_CLOSE or http.their_state is h11.MUST_CLOSE:
                return
            http.start_next_cycle()

    async def _answer(self, request: h11.Request) -> Answer:
        target = urlsplit(request.target.decode("ascii", "replace"))
        page = PAGES.get(target.path)
        method = request.method.decode("ascii")
        if page is None:
            return text(f"no page {target.path}; / lists them\n", 404)
        if method != page.method and not (method == "HEAD" and page.method == "GET"):
            return text(f"{target.path} is for {page.method} only\n", 405)
        try:
            return await page.answer(self._proxy, dict(parse_qsl(target.query, keep_blank_values=True)))
        except Exception:
            log.exception("admin page failed", path=target.path)
            return text("internal error; see the log\n", 500)


async def _next_request(http: h11.Connection, reader: asyncio.StreamReader) -> h11.Request | None:
    """The next request, its body read and dropped; None at the end. Raises TimeoutError, RemoteProtocolError."""
    request: h11.Request | None = None
    async with asyncio.timeout(IDLE_TIMEOUT_S):
        while True:
            event = http.next_event()
            if event is h11.NEED_DATA:
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
    ]
    if answer.status == 405:
        headers.append(("allow", "GET, HEAD, POST"))
    out = http.send(h11.Response(status_code=answer.status, headers=headers)) or b""
    if method != b"HEAD":
        out += http.send(h11.Data(data=answer.body)) or b""
    out += http.send(h11.EndOfMessage()) or b""
    writer.write(out)
    async with asyncio.timeout(IDLE_TIMEOUT_S):
        await writer.drain()
