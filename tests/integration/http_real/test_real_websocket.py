"""WebSocket, by two libraries, to two servers: a thousand messages, and who closes."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable, Coroutine
from itertools import count
from pathlib import Path
from typing import Any

import aiohttp
import pytest
import websockets.exceptions
import websockets.sync.client
import yaml

from tests.support.real_http.clients import get
from tests.support.waiting import LIMIT_S

each_server = pytest.mark.parametrize("server", ["aiohttp", "uvicorn"])
WEBSOCKET = ("websocket",)
_tokens = count()

DOCS = Path(__file__).resolve().parents[3] / "docs/http.md"


def messages() -> list[str | bytes]:
    """A thousand, of either kind, from nothing to more than a receive takes at once."""
    source = random.Random(1)
    sizes = [source.choice((0, 1, 125, 126, 5000)) for _ in range(998)] + [65_536, 500_000]
    return [source.randbytes(size) if number % 2 else "ä" * size for number, size in enumerate(sizes)]


MESSAGES = messages()


def with_aiohttp(url: str, use: Callable[[aiohttp.ClientWebSocketResponse], Coroutine[Any, Any, None]]) -> None:
    """Use a WebSocket of aiohttp's client."""

    async def work() -> None:
        timeout = aiohttp.ClientTimeout(LIMIT_S)
        async with (
            aiohttp.ClientSession(timeout=timeout) as session,
            session.ws_connect(url) as connected,
        ):
            await use(connected)

    asyncio.run(work())


@each_server
def test_a_thousand_messages_and_the_client_closes(server: str, through: Callable) -> None:
    mesh, token = through(server, upgrades=WEBSOCKET), str(next(_tokens))
    url = f"{mesh.url.replace('http', 'ws')}/ws?token={token}"
    with websockets.sync.client.connect(url, compression=None, proxy=None, open_timeout=LIMIT_S) as connected:
        for message in MESSAGES:
            connected.send(message)
            assert connected.recv(LIMIT_S) == message
        connected.close(4000, "enough")
    assert get(f"{mesh.url}/close-code?token={token}").body == b"4000"
    assert mesh.proxy.stats("listener", "in")["downstream_cx_upgrades_total"] == 1


@each_server
def test_a_thousand_messages_on_their_way_at_once(server: str, through: Callable) -> None:
    mesh = through(server, upgrades=WEBSOCKET)

    async def use(connected: aiohttp.ClientWebSocketResponse) -> None:
        async def send() -> None:
            for message in MESSAGES:
                await (connected.send_str(message) if isinstance(message, str) else connected.send_bytes(message))

        sending = asyncio.ensure_future(send())
        for message in MESSAGES:
            assert (await connected.receive(LIMIT_S)).data == message
        await sending

    with_aiohttp(f"{mesh.url}/ws?token={next(_tokens)}", use)


@each_server
def test_the_server_closes(server: str, through: Callable) -> None:
    mesh = through(server, upgrades=WEBSOCKET)

    async def use(connected: aiohttp.ClientWebSocketResponse) -> None:
        await connected.send_str("close")
        end = await connected.receive(LIMIT_S)
        assert (end.type, end.data, end.extra) == (aiohttp.WSMsgType.CLOSE, 4001, "as asked")

    with_aiohttp(f"{mesh.url}/ws?token={next(_tokens)}", use)
    mesh.proxy.wait_for_stat(0, "downstream_cx_upgrades_active", "listener", "in")


@each_server
def test_a_route_that_does_not_allow_it_passes_a_plain_request(server: str, through: Callable) -> None:
    mesh = through(server)
    url = f"{mesh.url.replace('http', 'ws')}/ws?token={next(_tokens)}"
    with pytest.raises(websockets.exceptions.InvalidStatus) as refused:
        websockets.sync.client.connect(url, proxy=None, open_timeout=LIMIT_S)
    assert 400 <= refused.value.response.status_code < 500
    assert mesh.proxy.stats("listener", "in")["downstream_cx_upgrades_total"] == 0
    assert get(mesh.url + "/describe").status == 200


def test_the_example_of_the_documentation(started: Callable, start: Callable) -> None:
    section = DOCS.read_text().split("## WebSocket, other upgrades, CONNECT")[1]
    settings = yaml.safe_load(section.split("```yaml\n")[1].split("```")[0])
    for listener in settings["listeners"]:
        listener["address"] = "127.0.0.1:0"
    for cluster in settings["clusters"]:
        cluster["endpoints"] = [started("aiohttp")]
    for route in settings["listeners"][0]["routes"]:
        if route["name"] == "rooms":
            route["rewrite"] = {"path": {"prefix": "/ws"}}
    proxy = start({**settings, "workers": 1})
    url = f"ws://{proxy.address('chat')}"
    with websockets.sync.client.connect(f"{url}/rooms?token={next(_tokens)}", proxy=None) as connected:
        connected.send("hello")
        assert connected.recv(LIMIT_S) == "hello"
    with pytest.raises(websockets.exceptions.InvalidStatus):
        websockets.sync.client.connect(f"{url}/ws?token={next(_tokens)}", proxy=None)
