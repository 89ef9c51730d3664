"""Idle time-outs of endpoints are learned, and requests come when their connections are due to be ended."""

from __future__ import annotations

import asyncio
import random
import re
from collections import Counter

import pytest

from tests.support.http_messages import get, ok
from tests.support.http_service import HttpService, to
from tests.support.waiting import LIMIT_S, wait_until

IDLE_S = 0.08
CLIENTS = 16
ROUNDS = 30


def learned(service: HttpService) -> int | None:
    """What the proxy knows of the only endpoint."""
    (member,) = service.proxy.proxy.members["app"].endpoints.values()
    return member.state.idle_timeout_ms


class PunctualOrigin(asyncio.Protocol):
    """Answers each request, and ends its connection when that has been idle for IDLE_S."""

    seen: Counter[int]
    transports: set[asyncio.Transport]

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self.transports.add(transport)
        self._received = b""
        self._timer: asyncio.TimerHandle | None = None

    def data_received(self, data: bytes) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._received += data
        if not self._received.endswith(b"\r\n\r\nhello"):
            return
        number = re.match(rb"[A-Z]+ /(\d+) ", self._received)
        assert number
        self.seen[int(number[1])] += 1
        self._received = b""
        self._transport.write(ok(b"ok"))
        self._timer = asyncio.get_running_loop().call_later(IDLE_S, self._transport.close)

    def connection_lost(self, error: Exception | None) -> None:
        self.transports.discard(self._transport)
        if self._timer is not None:
            self._timer.cancel()


async def ask(address: str, method: bytes, numbers: range, statuses: Counter[bytes]) -> None:
    """One client, whose requests come when the connection of the one before is about to be ended."""
    host, _, port = address.rpartition(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    for number in numbers:
        writer.write(b"%s /%d HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello" % (method, number))
        head = await reader.readuntil(b"\r\n\r\n")
        length = re.search(rb"(?i)content-length: (\d+)", head)
        assert length
        await reader.readexactly(int(length[1]))
        statuses[head.split(b" ", 2)[1]] += 1
        await asyncio.sleep(IDLE_S + random.uniform(-0.003, 0.003))
    writer.close()


@pytest.mark.parametrize("method", [b"GET", b"POST"])
def test_requests_that_come_when_connections_are_due(service: HttpService, method: bytes) -> None:
    """With the settings that everybody has: nothing fails, nothing is done twice."""
    seen: Counter[int] = Counter()
    statuses: Counter[bytes] = Counter()

    async def race() -> None:
        loop = asyncio.get_running_loop()
        origin = type("Origin", (PunctualOrigin,), {"seen": seen, "transports": set()})
        server = await loop.create_server(origin, "127.0.0.1")
        async with server, asyncio.timeout(LIMIT_S):
            service.serve(to("{}:{}".format(*server.sockets[0].getsockname())))
            address = service.proxy.address("in")
            await ask(address, b"GET", range(1), Counter())
            while learned(service) is None:
                await asyncio.sleep(0.01)
            await asyncio.gather(*(
                ask(address, method, range(1 + each * ROUNDS, 1 + (each + 1) * ROUNDS), statuses)
                for each in range(CLIENTS)
            ))
            while origin.transports:
                await asyncio.sleep(0.01)

    asyncio.run(race())
    assert statuses == {b"200": CLIENTS * ROUNDS}
    assert seen == dict.fromkeys(range(1 + CLIENTS * ROUNDS), 1)
    assert service.cluster()["upstream_cx_idle_ended"] > 0


def test_keep_alive_headers(service: HttpService) -> None:
    origin = service.origin()
    origin.on(b"/", ok(b"ok", b"Keep-Alive: timeout=2, max=100"))
    service.serve(to(origin))
    assert service.get(b"/").status == 200
    assert learned(service) == 2000


def test_one_early_end_is_not_for_ever(service: HttpService) -> None:
    """The connection that stands guard lives longer, so what was learned grows with its age."""
    origin = service.origin()
    service.serve(to(origin))
    assert service.get(b"/first").status == 200
    origin.hang_up(b"/first")
    wait_until(lambda: learned(service) is not None, "the end is seen")
    early = learned(service)
    assert early is not None
    assert service.get(b"/second").status == 200
    wait_until(lambda: (learned(service) or 0) >= max(250, 2 * early), "more is known")
    assert len(origin.connections) == 2


def test_an_old_connection_is_not_used(service: HttpService) -> None:
    """It is closed before the endpoint would end it, but for one that stands guard."""
    origin = service.origin()
    origin.on(b"/", ok(b"ok", b"Keep-Alive: timeout=1"))
    service.serve(to(origin))
    with service.client() as first, service.client() as second:
        first.send(get(b"/"))
        second.send(get(b"/"))
        assert (first.response().status, second.response().status) == (200, 200)
    count = len(origin.connections)
    if count == 2:
        service.proxy.wait_for_stat(1, "upstream_cx_idle_learned", "cluster", "app")
    assert service.cluster()["upstream_cx_active"] == 1


def test_learning_can_be_turned_off(service: HttpService) -> None:
    origin = service.origin()
    origin.on(b"/", ok(b"ok", b"Keep-Alive: timeout=2"))
    service.serve(to(origin, http={"learn_idle_timeout": False}))
    assert service.get(b"/").status == 200
    assert learned(service) is None
