"""Server-sent events: each arrives when it is sent, not when the response ends."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import count

import httpx
import pytest
import urllib3

from tests.support.real_http.clients import Request, ask, connection, exchange
from tests.support.real_http.content import EVENTS
from tests.support.real_http.servers import SERVERS
from tests.support.waiting import LIMIT_S

FIRST, LAST = EVENTS
_tokens = count()

Read = Callable[[], bytes]


@contextmanager
def by_http_client(url: str) -> Iterator[Read]:
    with connection(url) as over:
        over.request("GET", url)
        with over.getresponse() as response:
            yield response.read1


@contextmanager
def by_httpx(url: str) -> Iterator[Read]:
    with (
        httpx.Client(timeout=LIMIT_S, verify=False, trust_env=False) as client,
        client.stream("GET", url) as response,
    ):
        parts = response.iter_raw()
        yield lambda: next(parts, b"")


@contextmanager
def by_urllib3(url: str) -> Iterator[Read]:
    with urllib3.PoolManager(timeout=LIMIT_S) as pool:
        parts = pool.request("GET", url, preload_content=False).stream()
        yield lambda: next(parts, b"")


@pytest.mark.parametrize("server", SERVERS)
@pytest.mark.parametrize("client", [by_http_client, by_httpx, by_urllib3])
def test_the_first_event_arrives_before_the_last_is_sent(client: Callable, server: str, through: Callable) -> None:
    url, token = through(server).url, f"{client.__name__}-{next(_tokens)}"
    with client(f"{url}/events?token={token}") as read:
        # The server sends no more until it is told to, by this test, which has the first event by then.
        assert read() == FIRST
        exchange("http.client", Request("POST", f"{url}/go?token={token}"))
        assert (read(), read()) == (LAST, b"")


def test_a_request_body_arrives_piece_by_piece(through: Callable) -> None:
    url, token = through("node").url, f"upload-{next(_tokens)}"
    with connection(url) as upload, connection(url) as other:

        def body() -> Iterator[bytes]:
            yield b"first"
            # The server has answered another request while it holds the beginning of this one.
            assert ask(other, Request("POST", f"{url}/go?token={token}")).status == 200
            yield b"last"

        upload.request("POST", f"{url}/describe", body(), {"Transfer-Encoding": "chunked"}, encode_chunked=True)
        assert b'"size":9' in upload.getresponse().read()
