"""Proxies in a program's own event loop, by the public API: start, change, counters, stop."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

import pytest
import uvloop

from mesh_core import AccessLog, Admin, Cluster, Config, ConfigError, Mounting, Proxy, Restart
from mesh_core.control.admin import pages
from tests.support.child import ROOT
from tests.support.embedded import Client, config, echo_server, until
from tests.support.waiting import LIMIT_S, wait_until

Run = Callable[[Coroutine[Any, Any, None]], None]


@pytest.fixture(params=["uvloop", "asyncio"])
def run(request: pytest.FixtureRequest) -> Run:
    """Runs the program, in either kind of loop."""
    return uvloop.run if request.param == "uvloop" else asyncio.run


def test_it_serves_and_counts(run: Run, mounting: Mounting) -> None:
    async def program() -> None:
        async with echo_server() as origin:
            async with Proxy(config(origin), mounting=mounting) as proxy:
                assert proxy.state == "live"
                async with await Client.connect(proxy.listener_addresses["in"]) as client:
                    await client.echo()
                    assert proxy.active_connections == 1
                    stats = proxy.stats()
                await until(lambda: proxy.active_connections == 0, "the connection's end")
            assert (stats["listener.in.downstream_cx_active"], stats["server.live"]) == (1, 1)
            last = proxy.stats()
        assert proxy.state == "closed"
        assert proxy.active_connections == 0
        assert proxy.listener_addresses == {}
        assert last["listener.in.downstream_cx_total"] == last["cluster.app.upstream_cx_total"] == 1
        assert (last["listener.in.downstream_cx_active"], last["server.live"]) == (0, 0)
        assert all(isinstance(value, int) for name, value in last.items() if name != "server.cpu_seconds_total")

    run(program())


def test_its_counters_are_those_of_the_admin_endpoint(run: Run, mounting: Mounting) -> None:
    async def program() -> None:
        async with echo_server() as origin, Proxy(config(origin), mounting=mounting) as proxy:
            async with await Client.connect(proxy.listener_addresses["in"]) as client:
                await client.echo()
            answer = await pages.stats(proxy._proxy, {"format": "json"})  # type: ignore[arg-type]
            told = {each["name"]: each["value"] for each in json.loads(answer.body)["stats"]}
            assert list(told) == list(proxy.stats())
            assert "listener.in.downstream_cx_total" in told

    run(program())


def test_its_configuration_changes(run: Run, mounting: Mounting) -> None:
    async def program() -> None:
        async with echo_server() as origin, Proxy(config(origin), mounting=mounting) as proxy:
            before = proxy.listener_addresses["in"]
            async with await Client.connect(before) as old:
                await old.echo()
                await proxy.apply(config(origin, name="other"))
                assert proxy.config == config(origin, name="other")
                assert list(proxy.listener_addresses) == ["other"]
                with pytest.raises(ConnectionRefusedError):
                    await Client.connect(before)
                async with await Client.connect(proxy.listener_addresses["other"]) as new:
                    await new.echo()
                # What was open goes on as it began.
                await old.echo(b"still here")

    run(program())


def test_a_bad_configuration_changes_nothing(run: Run, mounting: Mounting) -> None:
    bad = {
        "listeners[0].cluster": config("127.0.0.1:1", clusters=()),
        "clusters[0].endpoints[0]": config("nowhere"),
        "clusters[0].connect_timeout_ms": config(
            clusters=(Cluster(name="app", endpoints=(), connect_timeout_ms="1s"),)  # type: ignore[arg-type]
        ),
        "workers": config("127.0.0.1:1", workers=2),
        "admin": config("127.0.0.1:1", admin=Admin()),
        "access_log.path": config("127.0.0.1:1", access_log=AccessLog(path="/nonexistent/access.log")),
        "listeners[0].address": config("127.0.0.1:1", address="192.0.2.1:0"),
    }

    async def program() -> None:
        async with echo_server() as origin, Proxy(config(origin), mounting=mounting, name="mine") as proxy:
            for path, wrong in bad.items():
                with pytest.raises(ConfigError) as caught:
                    await proxy.apply(wrong)
                assert [(each.path, each.line) for each in caught.value.faults] == [(path, None)]
                assert caught.value.name == "mine"
            with pytest.raises(TypeError):
                await proxy.apply({"listeners": []})  # type: ignore[arg-type]
            assert proxy.config == config(origin)
            async with await Client.connect(proxy.listener_addresses["in"]) as client:
                await client.echo()
        for path, wrong in bad.items():
            if path != "workers":
                with pytest.raises(ConfigError) as caught:
                    await Proxy(wrong, mounting=mounting).start()
                assert [each.path for each in caught.value.faults] == [path]

    run(program())


def test_every_fault_at_once(mounting: Mounting) -> None:
    wrong = config("nowhere", admin=Admin(), restart=Restart(address="unix:/run/hopmesh-restart"))
    with pytest.raises(ConfigError) as caught:
        asyncio.run(Proxy(wrong, mounting=mounting).start())
    assert [each.path for each in caught.value.faults] == ["clusters[0].endpoints[0]", "admin", "restart"]


def test_several_in_one_loop(run: Run) -> None:
    async def program() -> None:
        async with (
            echo_server() as origin,
            Proxy(config(origin), mounting="inline") as inner,
            Proxy(config(inner.listener_addresses["in"]), mounting="threaded") as middle,
            Proxy(config(middle.listener_addresses["in"]), mounting="inline") as outer,
            await Client.connect(outer.listener_addresses["in"]) as client,
        ):
            await client.echo(bytes(1 << 20))
            for proxy in (inner, middle, outer):
                assert proxy.stats()["listener.in.downstream_cx_total"] == 1
            # One that leaves takes nothing of the others with it.
            async with Proxy(config(origin), mounting="inline"):
                pass
            await client.echo()

    run(program())


def test_how_many_workers() -> None:
    async def program() -> None:
        counts = {}
        for mounting in ("inline", "threaded"):
            async with Proxy(Config(), mounting=mounting) as proxy:  # type: ignore[arg-type]
                counts[mounting] = proxy.stats()["server.concurrency"]
        assert counts == {"inline": 1, "threaded": len(os.sched_getaffinity(0))}

    asyncio.run(program())


def test_its_access_log(run: Run, mounting: Mounting, tmp_path: Path) -> None:
    path = tmp_path / "access.json"

    async def program() -> None:
        async with echo_server() as origin:
            settings = config(origin, access_log=AccessLog(path=str(path)))
            async with Proxy(settings, mounting=mounting) as proxy:
                path.rename(tmp_path / "old.json")
                proxy.reopen_access_log()
                async with await Client.connect(proxy.listener_addresses["in"]) as client:
                    await client.echo()

    run(program())
    # Once it is closed, all is written.
    assert len(path.read_text().splitlines()) == 1
    assert not (tmp_path / "old.json").read_text()


def test_sigpipe_is_not_ignored(mounting: Mounting) -> None:
    before = signal.signal(signal.SIGPIPE, signal.SIG_DFL)
    try:
        with pytest.raises(RuntimeError, match="SIGPIPE would end the process"):
            asyncio.run(Proxy(Config(), mounting=mounting).start())
    finally:
        signal.signal(signal.SIGPIPE, before)


@pytest.mark.parametrize("loop", ["uvloop", "asyncio"])
def test_the_example(mounting: Mounting, loop: str) -> None:
    done = subprocess.run(
        [sys.executable, "-W", "error", ROOT / "examples" / "embed.py", "--mounting", mounting, "--loop", loop],
        env={**os.environ, "PYTHONPATH": str(ROOT)}, capture_output=True, text=True, timeout=LIMIT_S, check=False,
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.splitlines() == [
        "first: hello",
        "second: hello again",
        "refused: clusters[0].endpoints[0]; the proxy goes on as before",
        "second: still there",
        "listener.in.downstream_cx_total: 3",
        "cluster.app.upstream_cx_total: 3",
    ]


def test_a_loop_in_another_thread(mounting: Mounting) -> None:
    """The main thread is not needed."""

    async def program() -> None:
        async with echo_server() as origin, Proxy(config(origin), mounting=mounting) as proxy:
            async with await Client.connect(proxy.listener_addresses["in"]) as client:
                await client.echo()
            done.append(True)

    done: list[bool] = []
    thread = threading.Thread(target=lambda: asyncio.run(program()))
    thread.start()
    wait_until(lambda: not thread.is_alive(), "the program's end")
    assert done == [True]
