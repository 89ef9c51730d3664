"""How embedded proxies end: in peace, in a hurry, cancelled, forgotten; and what use before and after is told."""

from __future__ import annotations

import asyncio
import gc
import os
import subprocess
import sys
import threading
from collections.abc import Callable, Coroutine
from typing import Any

import pytest
import uvloop

from mesh_core import Config, Mounting, Proxy
from tests.support.child import ROOT
from tests.support.embedded import Client, config, echo_server, refused, until
from tests.support.waiting import LIMIT_S

Run = Callable[[Coroutine[Any, Any, None]], None]


@pytest.fixture(params=["uvloop", "asyncio"])
def run(request: pytest.FixtureRequest) -> Run:
    """Runs the program, in either kind of loop."""
    return uvloop.run if request.param == "uvloop" else asyncio.run


class OddError(Exception):
    """Raised by a body."""


def test_the_end_of_a_body_waits_for_connections(run: Run, mounting: Mounting) -> None:
    async def program() -> None:
        async with echo_server() as origin:
            proxy = Proxy(config(origin), mounting=mounting)
            leave = asyncio.Event()

            async def body() -> None:
                async with proxy:
                    await leave.wait()

            running = asyncio.ensure_future(body())
            await until(lambda: proxy.state == "live", "a start")
            address = proxy.listener_addresses["in"]
            async with await Client.connect(address) as client:
                await client.echo()
                leave.set()
                await until(lambda: proxy.state == "draining", "a drain")
                await refused(address)
                await client.echo()
                assert not running.done()
            await running
            assert proxy.state == "closed"

    run(program())


def test_the_end_of_a_body_waits_no_longer_than_is_configured(run: Run, mounting: Mounting) -> None:
    async def program() -> None:
        async with echo_server() as origin:
            async with Proxy(config(origin, drain_timeout_ms=0), mounting=mounting) as proxy:
                client = await Client.connect(proxy.listener_addresses["in"])
                await client.echo()
            await client.expect_reset()
            await client.close()
            assert proxy.stats()["listener.in.downstream_cx_drain_close"] == 1

    run(program())


@pytest.mark.parametrize("error", [OddError, asyncio.CancelledError, KeyboardInterrupt])
def test_an_exception_closes_at_once(run: Run, mounting: Mounting, error: type[BaseException]) -> None:
    async def program() -> None:
        async with echo_server() as origin:
            # Longer than this test would wait.
            proxy = Proxy(config(origin, drain_timeout_ms=2**31 - 1), mounting=mounting)
            with pytest.raises(error):
                async with proxy:
                    client = await Client.connect(proxy.listener_addresses["in"])
                    await client.echo()
                    raise error
            assert proxy.state == "closed"
            await client.expect_reset()
            await client.close()

    run(program())


@pytest.mark.parametrize("steps", range(8))
def test_a_cancelled_start(run: Run, mounting: Mounting, steps: int) -> None:
    """Wherever it is cancelled, nothing is left: the fixtures count."""

    async def program() -> None:
        proxy = Proxy(config("127.0.0.1:1"), mounting=mounting)
        starting = asyncio.ensure_future(proxy.start())
        for _ in range(steps):
            await asyncio.sleep(0)
        if starting.cancel():
            with pytest.raises(asyncio.CancelledError):
                await starting
            assert proxy.state in ("new", "closed")
        await proxy.close()
        assert proxy.state == "closed"

    run(program())


@pytest.mark.parametrize("steps", range(6))
def test_a_cancelled_end(run: Run, mounting: Mounting, steps: int) -> None:
    """Cancelled while it drains, a body's end closes at once; cancelled while it closes, it closes all the same."""

    async def program() -> None:
        async with echo_server() as origin:
            proxy = Proxy(config(origin), mounting=mounting)
            leave = asyncio.Event()

            async def body() -> None:
                async with proxy:
                    await leave.wait()

            running = asyncio.ensure_future(body())
            await until(lambda: proxy.state == "live", "a start")
            async with await Client.connect(proxy.listener_addresses["in"]) as client:
                await client.echo()
                leave.set()
                await until(lambda: proxy.state == "draining", "a drain")
                # Once to end the drain, and once more at each step of the close.
                for wait in (0, steps):
                    for _ in range(wait):
                        await asyncio.sleep(0)
                    running.cancel()
                with pytest.raises(asyncio.CancelledError):
                    await running
                assert proxy.state == "closed"
                assert proxy.active_connections == 0
                await client.expect_reset()

    run(program())


def test_a_program_that_is_cancelled_whole(mounting: Mounting) -> None:
    """What asyncio.run does to tasks that are left, the one that closes a proxy among them."""

    async def program() -> None:
        async def body() -> None:
            async with Proxy(config("127.0.0.1:1"), mounting=mounting) as proxy:
                proxies.append(proxy)
                await asyncio.Event().wait()

        left.extend(asyncio.ensure_future(body()) for _ in range(2))
        await until(lambda: len(proxies) == 2, "two proxies")
        left.append(asyncio.ensure_future(proxies[0].close()))
        await asyncio.sleep(0)

    proxies: list[Proxy] = []
    left: list[asyncio.Future[None]] = []
    asyncio.run(program())
    assert [each.state for each in proxies] == ["closed", "closed"]


def test_drain_and_close_by_hand(run: Run, mounting: Mounting) -> None:
    async def program() -> None:
        async with echo_server() as origin:
            async with Proxy(config(origin), mounting=mounting) as proxy:
                client = await Client.connect(proxy.listener_addresses["in"])
                await client.echo()
                with pytest.raises(ValueError, match="timeout_ms is 0 or more, not -1"):
                    await proxy.drain(-1)
                assert await proxy.drain(1) == 1
                await client.expect_reset()
                await client.close()
                assert await proxy.drain() == 0
                with pytest.raises(RuntimeError, match="the proxy is draining"):
                    await proxy.apply(config(origin))
                await asyncio.gather(proxy.close(), proxy.close())
            await proxy.close()

    run(program())


def test_use_after_the_end(run: Run, mounting: Mounting) -> None:
    async def program() -> None:
        async with Proxy(config("127.0.0.1:1"), mounting=mounting) as proxy:
            with pytest.raises(RuntimeError, match="a proxy is started once, and this one is live"):
                await proxy.start()
        for work in (proxy.apply(Config()), proxy.drain()):
            with pytest.raises(RuntimeError, match="the proxy is closed"):
                await work
        with pytest.raises(RuntimeError, match="the proxy is closed"):
            proxy.reopen_access_log()
        with pytest.raises(RuntimeError, match="a proxy is started once, and this one is closed: make another"):
            async with proxy:
                pass
        assert proxy.stats()["server.live"] == 0
        assert proxy.active_connections == 0

    run(program())


def test_a_close_while_it_starts_or_changes(run: Run, mounting: Mounting) -> None:
    async def program() -> None:
        proxy = Proxy(config("127.0.0.1:1"), mounting=mounting)
        starting = asyncio.ensure_future(proxy.start())
        await asyncio.sleep(0)
        assert proxy.state == "starting"
        with pytest.raises(RuntimeError, match="the proxy is starting"):
            await proxy.apply(Config())
        await proxy.close()
        with pytest.raises(RuntimeError, match="the proxy was closed while it started"):
            await starting
        async with Proxy(config("127.0.0.1:1"), mounting=mounting) as proxy:
            # Each takes a step, and the close is a step ahead.
            closing = asyncio.ensure_future(proxy.close())
            applying = asyncio.ensure_future(proxy.apply(config("127.0.0.1:2")))
            await closing
            with pytest.raises(RuntimeError, match="the proxy is closed: the change came too late"):
                await applying

    run(program())


@pytest.mark.parametrize("steps", range(12))
def test_closed_at_every_step_of_a_start(mounting: Mounting, steps: int) -> None:
    """Closed is closed, whatever was on its way."""

    async def program() -> None:
        proxy = Proxy(config("127.0.0.1:1"), mounting=mounting)
        starting = asyncio.ensure_future(proxy.start())
        for _ in range(steps):
            await asyncio.sleep(0)
        closing = asyncio.ensure_future(proxy.close())
        await asyncio.gather(starting, closing, return_exceptions=True)
        assert closing.exception() is None
        assert proxy.state == "closed"

    asyncio.run(program())


def test_use_from_elsewhere(run: Run, mounting: Mounting) -> None:
    async def program() -> None:
        async with Proxy(config("127.0.0.1:1"), mounting=mounting) as proxy:
            for use in (
                proxy.stats,
                lambda: proxy.active_connections,
                lambda: asyncio.run(proxy.apply(Config())),
                lambda: asyncio.run(proxy.close()),
            ):
                with pytest.raises(RuntimeError, match="in its loop's thread alone"):
                    await asyncio.to_thread(use)
            assert proxy.state == "live"
            proxies.append(proxy)

    proxies: list[Proxy] = []
    run(program())
    with pytest.raises(RuntimeError, match="the proxy belongs to another event loop"):
        asyncio.run(proxies[0].close())
    assert proxies[0].stats()["server.live"] == 0


FORGOTTEN = """
import asyncio, gc, sys, uvloop
from mesh_core import Cluster, Config, Listener, Proxy

async def main():
    proxy = Proxy(Config(
        workers=2,
        listeners=(Listener(name="in", address="127.0.0.1:0", cluster="app"),),
        clusters=(Cluster(name="app", endpoints=("127.0.0.1:1",)),),
    ), mounting=sys.argv[1])
    await proxy.start()
    return proxy

loop = uvloop.new_event_loop() if sys.argv[2] == "uvloop" else asyncio.new_event_loop()
proxy = loop.run_until_complete(main())
loop.close()
print(proxy.stats()["server.concurrency"], proxy.state)
try:
    asyncio.run(proxy.close())
except RuntimeError as error:
    print(error)
if sys.argv[3] == "collected":
    del proxy, loop
    gc.collect()
print("ends")
"""


@pytest.mark.parametrize("loop", ["uvloop", "asyncio"])
@pytest.mark.parametrize("when", ["collected", "at exit"])
def test_a_loop_that_is_closed_before_the_proxy(mounting: Mounting, loop: str, when: str) -> None:
    """The process says so, if it is asked to, and ends as it should."""
    done = subprocess.run(
        [sys.executable, "-W", "always::ResourceWarning", "-c", FORGOTTEN, mounting, loop, when],
        cwd=ROOT, env={**os.environ, "PYTHONFAULTHANDLER": "1"}, capture_output=True, text=True, timeout=LIMIT_S,
        check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == ["2 live", "the proxy belongs to another event loop", "ends"]
    assert "ResourceWarning: nobody closed <mesh_core.Proxy <config>: live" in done.stderr


def test_one_that_nobody_holds_goes_on(mounting: Mounting) -> None:
    """The loop holds what it runs; only a warning tells that nobody can stop it any more."""

    async def program() -> None:
        async with echo_server() as origin:
            proxy = Proxy(config(origin), mounting=mounting)
            await proxy.start()
            address, held = proxy.listener_addresses["in"], proxy._proxy
            with pytest.warns(ResourceWarning, match="nobody closed"):
                del proxy
                gc.collect()
            async with await Client.connect(address) as client:
                await client.echo()
            assert held is not None
            await held.close()

    asyncio.run(program())
    assert not [each for each in threading.enumerate() if each.name.startswith("worker-")]
