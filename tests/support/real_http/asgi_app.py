"""uvicorn with an application that `servers` describes: `asgi_app DESCRIPTOR [CERTIFICATE KEY]`."""

from __future__ import annotations

import asyncio
import json
import socket
import sys
from collections import defaultdict
from collections.abc import Awaitable, Callable, Iterable
from typing import Any
from urllib.parse import parse_qsl

import uvicorn

from tests.support.real_http.content import COOKIES, ETAG, EVENTS, GZIPPED, LOCATION, pattern, pieces, sha256

Event = dict[str, Any]
Receive = Callable[[], Awaitable[Event]]
Send = Callable[[Event], Awaitable[None]]
Fields = list[tuple[str, str]]

_go: defaultdict[str, asyncio.Event] = defaultdict(asyncio.Event)
_close_codes: defaultdict[str, asyncio.Queue[int]] = defaultdict(asyncio.Queue)


async def app(scope: Event, receive: Receive, send: Send) -> None:
    """Answer one request, or be one WebSocket."""
    query = dict(parse_qsl(scope["query_string"].decode()))
    if scope["type"] == "websocket":
        await _websocket(query, receive, send)
        return
    body = bytearray()
    more = True
    while more:
        event = await receive()
        body += event.get("body", b"")
        more = event.get("more_body", False)
    await _answer(scope, query, bytes(body), send)


async def _answer(scope: Event, query: dict[str, str], body: bytes, send: Send) -> None:
    match scope["path"]:
        case "/describe":
            await _send(send, 200, [("content-type", "application/json")], [_described(scope, body)])
        case "/pattern":
            data = pattern(int(query["size"]))
            fields = [] if "chunked" in query else [("content-length", str(len(data)))]
            await _send(send, 200, fields, pieces(data))
        case "/status":
            await _send(send, int(query["code"]), [("etag", ETAG)], [])
        case "/gzip":
            fields = [("content-encoding", "gzip"), ("content-length", str(len(GZIPPED)))]
            await _send(send, 200, fields, [GZIPPED])
        case "/cookies":
            await _send(send, 200, [*(("set-cookie", each) for each in COOKIES), ("content-length", "0")], [])
        case "/redirect":
            await _send(send, 302, [("location", LOCATION), ("content-length", "0")], [])
        case "/events":
            await _events(query["token"], send)
        case "/go":
            _go[query["token"]].set()
            await _send(send, 200, [("content-length", "0")], [])
        case "/close-code":
            code = await _close_codes[query["token"]].get()
            await _send(send, 200, [], [str(code).encode()])
        case _:
            await _send(send, 404, [("content-length", "0")], [])


async def _send(send: Send, status: int, fields: Fields, parts: Iterable[bytes]) -> None:
    headers = [(name.encode(), value.encode()) for name, value in fields]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    for part in parts:
        await send({"type": "http.response.body", "body": part, "more_body": True})
    await send({"type": "http.response.body", "body": b"", "more_body": False})


def _described(scope: Event, body: bytes) -> bytes:
    target = scope["raw_path"] + (b"?" + scope["query_string"] if scope["query_string"] else b"")
    told = {
        "method": scope["method"],
        "target": target.decode(),
        "headers": {name.decode(): value.decode() for name, value in scope["headers"]},
        "connection": str(scope["client"][1]),
        "size": len(body),
        "sha256": sha256(body),
    }
    return json.dumps(told).encode()


async def _events(token: str, send: Send) -> None:
    headers = [(b"content-type", b"text/event-stream")]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    for event in EVENTS:
        await send({"type": "http.response.body", "body": event, "more_body": True})
        await _go[token].wait()
    await send({"type": "http.response.body", "body": b"", "more_body": False})


async def _websocket(query: dict[str, str], receive: Receive, send: Send) -> None:
    await receive()
    await send({"type": "websocket.accept"})
    while (event := await receive())["type"] == "websocket.receive":
        if event.get("text") == "close":
            await send({"type": "websocket.close", "code": 4001, "reason": "as asked"})
            return
        kept = {name: event[name] for name in ("text", "bytes") if event.get(name) is not None}
        await send({"type": "websocket.send", **kept})
    _close_codes[query["token"]].put_nowait(event["code"])


def _main(descriptor: str, certificate: str | None = None, key: str | None = None) -> None:
    config = uvicorn.Config(
        app,
        lifespan="off",
        timeout_keep_alive=60,
        access_log=False,
        ssl_certfile=certificate,
        ssl_keyfile=key,
    )
    uvicorn.Server(config).run(sockets=[socket.socket(fileno=int(descriptor))])


if __name__ == "__main__":
    _main(*sys.argv[1:])
