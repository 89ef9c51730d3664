"""aiohttp's server with an application that `servers` describes: `aiohttp_app DESCRIPTOR [CERTIFICATE KEY]`."""

from __future__ import annotations

import asyncio
import socket
import ssl
import sys
from collections import defaultdict

from aiohttp import WSMsgType, web

from tests.support.real_http.content import COOKIES, ETAG, EVENTS, GZIPPED, LOCATION, pattern, pieces, sha256

_go: defaultdict[str, asyncio.Event] = defaultdict(asyncio.Event)
_close_codes: defaultdict[str, asyncio.Queue[int]] = defaultdict(asyncio.Queue)


async def _describe(request: web.Request) -> web.Response:
    body = await request.read()
    told = {
        "method": request.method,
        "target": request.raw_path,
        "headers": {name.lower(): value for name, value in request.headers.items()},
        "connection": str(request.transport.get_extra_info("peername")[1]),
        "size": len(body),
        "sha256": sha256(body),
    }
    return web.json_response(told)


async def _pattern(request: web.Request) -> web.StreamResponse:
    data = pattern(int(request.query["size"]))
    response = web.StreamResponse()
    if "chunked" in request.query:
        response.enable_chunked_encoding()
    else:
        response.content_length = len(data)
    await response.prepare(request)
    # aiohttp would send this in answer to HEAD too.
    for piece in pieces(data) if request.method == "GET" else []:
        await response.write(piece)
    return response


async def _status(request: web.Request) -> web.Response:
    return web.Response(status=int(request.query["code"]), headers={"ETag": ETAG})


async def _gzip(_: web.Request) -> web.Response:
    return web.Response(body=GZIPPED, headers={"Content-Encoding": "gzip"})


async def _cookies(_: web.Request) -> web.Response:
    response = web.Response()
    for each in COOKIES:
        response.headers.add("Set-Cookie", each)
    return response


async def _redirect(_: web.Request) -> web.Response:
    return web.Response(status=302, headers={"Location": LOCATION})


async def _events(request: web.Request) -> web.StreamResponse:
    response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
    await response.prepare(request)
    for event in EVENTS:
        await response.write(event)
        await _go[request.query["token"]].wait()
    return response


async def _released(request: web.Request) -> web.Response:
    _go[request.query["token"]].set()
    return web.Response()


async def _websocket(request: web.Request) -> web.WebSocketResponse:
    socket_ = web.WebSocketResponse()
    await socket_.prepare(request)
    async for message in socket_:
        if message.type is WSMsgType.BINARY:
            await socket_.send_bytes(message.data)
        elif message.data == "close":
            await socket_.close(code=4001, message=b"as asked")
        else:
            await socket_.send_str(message.data)
    _close_codes[request.query["token"]].put_nowait(socket_.close_code)
    return socket_


async def _close_code(request: web.Request) -> web.Response:
    return web.Response(text=str(await _close_codes[request.query["token"]].get()))


def _app() -> web.Application:
    app = web.Application(client_max_size=2**26)
    app.router.add_route("*", "/describe", _describe)
    app.router.add_post("/go", _released)
    for name, handler in (
        ("pattern", _pattern),
        ("status", _status),
        ("gzip", _gzip),
        ("cookies", _cookies),
        ("redirect", _redirect),
        ("events", _events),
        ("ws", _websocket),
        ("close-code", _close_code),
    ):
        app.router.add_get(f"/{name}", handler)
    return app


def _main(descriptor: str, *files: str) -> None:
    context = None
    if files:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(*files)
    web.run_app(_app(), sock=socket.socket(fileno=int(descriptor)), ssl_context=context, print=None)


if __name__ == "__main__":
    _main(*sys.argv[1:])
