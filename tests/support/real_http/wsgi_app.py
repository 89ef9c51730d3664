"""The application for gunicorn; `servers` says what it does."""

from __future__ import annotations

import json
import threading
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from http import HTTPStatus
from typing import Any
from urllib.parse import parse_qsl

from tests.support.real_http.content import COOKIES, ETAG, EVENTS, GZIPPED, LOCATION, pattern, pieces, sha256

Environ = dict[str, Any]
Answer = tuple[int, list[tuple[str, str]], Iterable[bytes]]

_go: defaultdict[str, threading.Event] = defaultdict(threading.Event)


def app(environ: Environ, start_response: Callable[..., Any]) -> Iterable[bytes]:
    """Answer one request."""
    body = environ["wsgi.input"].read()
    status, fields, parts = _answer(environ, dict(parse_qsl(environ["QUERY_STRING"])), body)
    start_response(f"{status} {HTTPStatus(status).phrase}", fields)
    return parts


def _answer(environ: Environ, query: dict[str, str], body: bytes) -> Answer:
    status, fields, parts = 200, [], []
    match environ["PATH_INFO"]:
        case "/describe":
            fields, parts = [("Content-Type", "application/json")], [_described(environ, body)]
        case "/pattern":
            parts = pieces(pattern(int(query["size"])))
        case "/status":
            status, fields = int(query["code"]), [("ETag", ETAG)]
        case "/gzip":
            fields, parts = [("Content-Encoding", "gzip")], [GZIPPED]
        case "/cookies":
            fields = [("Set-Cookie", each) for each in COOKIES]
        case "/redirect":
            status, fields = 302, [("Location", LOCATION)]
        case "/events":
            return 200, [("Content-Type", "text/event-stream")], _events(query["token"])
        case "/go":
            _go[query["token"]].set()
        case _:
            status = 404
    if "chunked" not in query and status not in (204, 304):
        fields = [*fields, ("Content-Length", str(sum(map(len, parts))))]
    return status, fields, parts


def _described(environ: Environ, body: bytes) -> bytes:
    names = {name: name.removeprefix("HTTP_") for name in environ if name.startswith("HTTP_")}
    names |= {"CONTENT_TYPE": "CONTENT_TYPE", "CONTENT_LENGTH": "CONTENT_LENGTH"}
    told = {
        "method": environ["REQUEST_METHOD"],
        "target": environ["RAW_URI"],
        "headers": {names[name].lower().replace("_", "-"): environ[name] for name in names if environ.get(name)},
        "connection": str(environ["REMOTE_PORT"]),
        "size": len(body),
        "sha256": sha256(body),
    }
    return json.dumps(told).encode()


def _events(token: str) -> Iterator[bytes]:
    for event in EVENTS:
        yield event
        _go[token].wait()
