"""100 before a body is sent, a refusal in its place, and early hints."""

import asyncio
from collections.abc import Callable

import aiohttp
import pytest

from tests.support.real_http.clients import curl
from tests.support.real_http.content import pattern, sha256
from tests.support.real_http.servers import SERVERS
from tests.support.waiting import LIMIT_S

BODY = pattern(200_000)
# curl sends the body when nobody has answered for so long, which here is longer than a test lasts.
EXPECT = ("-H", "Expect: 100-continue", "--expect100-timeout", "60", "--stderr", "-", "-v")


@pytest.mark.parametrize("server", SERVERS)
def test_curl_waits_for_100(server: str, through: Callable) -> None:
    written = curl(*EXPECT, "--data-binary", "@-", through(server).url + "/describe", body=BODY).decode()
    lines = written.splitlines()
    assert lines.index("< HTTP/1.1 100 Continue\r".strip()) < lines.index("< HTTP/1.1 200 OK")
    assert sha256(BODY) in written


@pytest.mark.parametrize("server", SERVERS)
def test_aiohttp_waits_for_100(server: str, through: Callable) -> None:
    async def exchange(url: str) -> dict:
        timeout = aiohttp.ClientTimeout(LIMIT_S)
        async with (
            aiohttp.ClientSession(timeout=timeout) as session,
            session.post(url, data=BODY, expect100=True) as response,
        ):
            return await response.json()

    assert asyncio.run(exchange(through(server).url + "/describe"))["sha256"] == sha256(BODY)


def test_a_refusal_in_place_of_100_saves_the_body(through: Callable) -> None:
    mesh = through("node")
    written = curl(*EXPECT, "--data-binary", "@-", mesh.url + "/refuse", body=BODY).decode()
    assert "< HTTP/1.1 413 " in written
    assert "100 Continue" not in written
    assert mesh.proxy.stats("cluster", "app")["upstream_cx_tx_bytes_total"] < len(BODY)


def test_early_hints_come_first(through: Callable) -> None:
    written = curl("-v", "--stderr", "-", through("node").url + "/early").decode()
    hints, answer = written.index("< HTTP/1.1 103 Early Hints"), written.index("< HTTP/1.1 200 OK")
    assert hints < written.index("</style.css>; rel=preload") < answer
