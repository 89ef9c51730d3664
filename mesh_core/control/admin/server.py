"""The HTTP server of the admin endpoint: h11 on the control thread's loop. Small on purpose, bounded everywhere."""

from __future__ import annotations

import asyncio
from urllib.parse import parse_qsl

import h11
import structlog

from mesh_core.control.admin.pages import PAGES, Answer, text
from mesh_core.control.control_server import ControlServer
from mesh_core.control.proxy import Proxy

REQUEST_LIMIT_BYTES = 8192
IDLE_TIMEOUT_S = 30.0

log = structlog.get_logger("hopmesh.admin")


class AdminServer(ControlServer):
    """Serves the admin pages of one proxy."""

    field = "admin.address"

    def __init__(self, proxy: Proxy) -> None:
        super().__init__()
        self._proxy = proxy

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
            with self._busy():
                answer = await self._answer(request)
                await _send(http, writer, answer, request.method)
            if self._ending or http.our_state is not h11.DONE or http.their_state is not h11.DONE:
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
