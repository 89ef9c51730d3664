"""HTTP clients that other people wrote, each behind the same call: one request, by a connection of its own.

answer = CLIENTS["curl"](Request("POST", url, {"X-A": "1"}, b"body", chunked=True))
"""

from __future__ import annotations

import asyncio
import contextlib
import http.client
import json
import ssl
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from io import BytesIO
from typing import Any, NamedTuple
from urllib.parse import urlsplit

import aiohttp
import httpx
import urllib3

from tests.support.process_programs import program, run_program
from tests.support.real_http.content import PIECE, pieces
from tests.support.real_http.servers import HERE
from tests.support.waiting import LIMIT_S

Fields = list[tuple[str, str]]


class Request(NamedTuple):
    """What to ask. `body`: None for none; `chunked`: it goes in pieces, without its length; `trusted_ca`: for https."""

    method: str
    url: str
    headers: Mapping[str, str] = {}
    body: bytes | None = None
    chunked: bool = False
    trusted_ca: str | None = None
    trailers: Mapping[str, str] | None = None
    """Sent behind a chunked body, by Node only."""

    @property
    def content(self) -> bytes | Iterator[bytes] | None:
        """The body as clients take it: those here send an iterator chunked."""
        return iter(pieces(self.body)) if self.chunked and self.body is not None else self.body


class Answer(NamedTuple):
    """A response, its body as it came: no client here decompresses."""

    status: int
    fields: Fields
    body: bytes
    trailers: Mapping[str, str] = {}
    """Told by Node only."""

    def all(self, name: str) -> list[str]:
        """The values of a field, in order."""
        return [value for each, value in self.fields if each.lower() == name.lower()]

    def json(self) -> Any:
        """The body as JSON."""
        assert self.status == 200, self
        return json.loads(self.body)


def client_tls(trusted_ca: str | None) -> ssl.SSLContext | None:
    """How a client in Python verifies the proxy; None for http."""
    return ssl.create_default_context(cafile=trusted_ca) if trusted_ca else None


@contextlib.contextmanager
def connection(url: str, trusted_ca: str | None = None) -> Iterator[http.client.HTTPConnection]:
    """A connection of http.client, for as many requests as a test likes."""
    where, context = urlsplit(url).netloc, client_tls(trusted_ca)
    made = (
        http.client.HTTPSConnection(where, timeout=LIMIT_S, context=context)
        if context
        else http.client.HTTPConnection(where, timeout=LIMIT_S)
    )
    with contextlib.closing(made):
        yield made


def ask(over: http.client.HTTPConnection, request: Request) -> Answer:
    """A request over that connection."""
    target = urlsplit(request.url)._replace(scheme="", netloc="").geturl()
    chunked = {"Transfer-Encoding": "chunked"} if request.chunked else {}
    headers = {**request.headers, **chunked}
    over.request(request.method, target, request.content, headers, encode_chunked=request.chunked)
    response = over.getresponse()
    return Answer(response.status, response.getheaders(), response.read())


def _http_client(request: Request) -> Answer:
    with connection(request.url, request.trusted_ca) as over:
        return ask(over, request)


def _urllib3(request: Request) -> Answer:
    context = client_tls(request.trusted_ca)
    with urllib3.PoolManager(timeout=LIMIT_S, retries=False, **({"ssl_context": context} if context else {})) as pool:
        response = pool.request(
            request.method,
            request.url,
            headers=request.headers,
            body=request.content,
            chunked=request.chunked,
            redirect=False,
            decode_content=False,
        )
        return Answer(response.status, list(response.headers.items()), response.data)


def _httpx(request: Request) -> Answer:
    context = client_tls(request.trusted_ca)
    with (
        httpx.Client(timeout=LIMIT_S, verify=context or False, trust_env=False) as client,
        client.stream(request.method, request.url, headers=request.headers, content=request.content) as response,
    ):
        return Answer(response.status_code, response.headers.multi_items(), b"".join(response.iter_raw()))


def _aiohttp(request: Request) -> Answer:
    async def body() -> AsyncIterator[bytes]:
        for piece in pieces(request.body or b""):
            yield piece

    async def exchange() -> Answer:
        async with (
            aiohttp.ClientSession(auto_decompress=False, timeout=aiohttp.ClientTimeout(LIMIT_S)) as session,
            session.request(
                request.method,
                request.url,
                headers=request.headers,
                data=body() if request.chunked else request.body and BytesIO(request.body),
                allow_redirects=False,
                ssl=client_tls(request.trusted_ca) or True,
            ) as response,
        ):
            return Answer(response.status, list(response.headers.items()), await response.read())

    return asyncio.run(exchange())


def curl(*arguments: str, body: bytes = b"") -> bytes:
    """What curl writes to standard output; it fails on its own errors, not on those that HTTP tells."""
    return run_program([program("curl"), "-sS", "--max-time", str(LIMIT_S), *arguments], body)


def _curl(request: Request) -> Answer:
    arguments = ["-i", "--head"] if request.method == "HEAD" else ["-i", "-X", request.method]
    for name, value in request.headers.items():
        arguments += ["-H", f"{name}: {value}"]
    if request.body is not None:
        arguments += ["--data-binary", "@-", "-H", "Content-Type: application/octet-stream"]
    if request.chunked:
        arguments += ["-H", "Transfer-Encoding: chunked"]
    if request.trusted_ca:
        arguments += ["--cacert", request.trusted_ca]
    written = curl(*arguments, request.url, body=request.body or b"")
    status = 100
    while status < 200:
        head, _, written = written.partition(b"\r\n\r\n")
        first, *lines = head.decode("latin-1").split("\r\n")
        status = int(first.split()[1])
    fields = [(name, value.strip()) for name, _, value in (line.partition(":") for line in lines)]
    return Answer(status, fields, written)


def _node(*requests: Request) -> list[Answer]:
    """One process for all of them: Node takes its time to start."""
    specs = [
        {**each._asdict(), "body": None, "size": None if each.body is None else len(each.body), "piece": PIECE}
        for each in requests
    ]
    bodies = b"".join(each.body or b"" for each in requests)
    written = run_program([program("node"), HERE / "node_client.js", json.dumps(specs)], bodies)
    answers = []
    for _ in requests:
        head, _, written = written.partition(b"\n")
        told = json.loads(head)
        fields = list(zip(told["fields"][::2], told["fields"][1::2], strict=True))
        answers.append(Answer(told["status"], fields, written[: told["size"]], told["trailers"]))
        written = written[told["size"] :]
    return answers


_CLIENTS: dict[str, Callable[[Request], Answer]] = {
    "aiohttp": _aiohttp,
    "curl": _curl,
    "http.client": _http_client,
    "httpx": _httpx,
    "urllib3": _urllib3,
}
CLIENTS = (*_CLIENTS, "node")


def exchange(client: str, *requests: Request) -> list[Answer]:
    """What that client gets for requests that it sends one after the other."""
    return _node(*requests) if client == "node" else [_CLIENTS[client](each) for each in requests]


def get(url: str, headers: Mapping[str, str] | None = None) -> Answer:
    """A plain GET."""
    return _http_client(Request("GET", url, headers or {}))
