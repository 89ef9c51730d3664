"""Servers that other people wrote, with one application in each of them that the tests know.

    ANY  /describe                  JSON: method, target, headers, connection (the peer's port), size and sha256 of
                                    the body; from Node also trailers
    GET  /pattern?size=N[&chunked]  so many bytes of `content.pattern`, with their length or chunked
    GET  /status?code=N             that status, and an ETag; nothing else
    GET  /gzip, /cookies, /redirect what `content` has of that name
    GET  /events?token=T            the first of `content.EVENTS`, and the second after POST /go?token=T
    WS   /ws?token=T                echoes; the text "close" makes it close with 4001   (aiohttp, uvicorn)
    GET  /close-code?token=T        the code that a client closed that WebSocket with   (aiohttp, uvicorn)
    GET  /trailers, /early          a body with trailers; 103 before 200                (Node)
    GET  /last                      an answer that ends its connection                  (Node)
    POST /refuse                    413 in place of 100                                 (Node)
    CONNECT                         to wherever it is asked to                          (Node)

They listen on a socket that is passed to them, so a client may connect before they have started.
"""

from __future__ import annotations

import base64
import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.support.addresses import text_of
from tests.support.certificates import Files
from tests.support.process import LIMIT_S, REPOSITORY
from tests.support.process_programs import program
from tests.support.real_http.content import COOKIES, ETAG, EVENTS, GZIPPED, LOCATION, PIECE

HERE = Path(__file__).resolve().parent
APPS = "tests.support.real_http"

Command = Callable[[int, Files | None], list[str]]
"""What to run, by the descriptor to listen on and the certificate to show."""


def _module(name: str) -> Command:
    return lambda fd, tls: [sys.executable, "-m", f"{APPS}.{name}", str(fd), *(tls or ())]


def _gunicorn(fd: int, tls: Files | None) -> list[str]:
    more = ["--certfile", tls.certificate, "--keyfile", tls.key] if tls else []
    settings = ["--threads", "8", "--keep-alive", "60", "--no-control-socket", "--bind", f"fd://{fd}"]
    return [sys.executable, "-m", "gunicorn", *settings, *more, f"{APPS}.wsgi_app:app"]


def _node(fd: int, tls: Files | None) -> list[str]:
    content = {
        "piece": PIECE,
        "etag": ETAG,
        "cookies": COOKIES,
        "location": LOCATION,
        "events": [each.decode() for each in EVENTS],
        "gzipped": base64.b64encode(GZIPPED).decode(),
    }
    return [program("node"), str(HERE / "node_server.js"), str(fd), json.dumps(content), *(tls or ())]


_COMMANDS: dict[str, Command] = {
    "aiohttp": _module("aiohttp_app"),
    "gunicorn": _gunicorn,
    "node": _node,
    "uvicorn": _module("asgi_app"),
}
SERVERS = tuple(_COMMANDS)


@contextmanager
def server(name: str, folder: Path, tls: Files | None = None) -> Iterator[str]:
    """A running server, its output in `folder`; gives its address. It is killed at the end with all its children."""
    with socket.create_server(("127.0.0.1", 0), backlog=256) as listening, (folder / f"{name}.log").open("ab") as log:
        address = text_of(listening)
        process = subprocess.Popen(
            _COMMANDS[name](listening.fileno(), tls),
            pass_fds=[listening.fileno()],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            cwd=REPOSITORY,
            start_new_session=True,
        )
    try:
        yield address
        assert process.poll() is None, (folder / f"{name}.log").read_text()
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
        process.wait(LIMIT_S)
