"""Through changes of the configuration: what goes on, what starts anew, what is waited for."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Iterator
from typing import Any

import pytest
import uvloop

from mesh_core.config import Config, load_builtins
from mesh_core.control.dns import discovery as discovery_module
from mesh_core.control.dns.discovery import Discovery
from mesh_core.telemetry.stats import StatsRegistry
from tests.support.dns_server import DnsServer
from tests.support.waiting import LIMIT_S

Cluster = dict[str, Any]


@pytest.fixture
def server() -> Iterator[DnsServer]:
    with DnsServer() as made:
        yield made


def run(work: Callable[[], Coroutine[Any, Any, None]]) -> None:
    """Run `work`; nothing of it may be left when it has ended."""

    async def checked() -> None:
        async with asyncio.timeout(LIMIT_S):
            await work()
        assert asyncio.all_tasks() == {asyncio.current_task()}

    uvloop.run(checked())


def dns(server: DnsServer, name: str, *hosts: str, **more: Any) -> Cluster:
    return {
        "name": name,
        "type": "strict_dns",
        "endpoints": list(hosts) or [f"{name}.example:80"],
        "dns_resolvers": [server.address],
        "dns_query_timeout_ms": int(LIMIT_S * 1000),
        **more,
    }


def configured(*clusters: Cluster) -> Config:
    return load_builtins({"clusters": clusters})


def found(discovery: Discovery, config: Config) -> dict[str, list[str]]:
    return {name: [each.name for each in endpoints] for name, endpoints in discovery.endpoints(config).items()}


def test_the_first_answers_are_waited_for(server: DnsServer) -> None:
    server.set("a.example", ["192.0.2.1"])
    server.set("b.example", ["192.0.2.2"])
    config = configured(
        dns(server, "app", "a.example:1", "b.example:2"),
        dns(server, "none"),
        {"name": "static", "endpoints": ["192.0.2.3:3"]},
    )

    async def work() -> None:
        registry = StatsRegistry(1)
        changes: list[None] = []
        discovery = Discovery(registry, lambda: changes.append(None))
        assert found(discovery, config) == {"static": ["192.0.2.3:3"]}
        prepared = await discovery.prepare(config)
        everything = {"app": ["192.0.2.1:1", "192.0.2.2:2"], "none": [], "static": ["192.0.2.3:3"]}
        assert {
            name: [each.name for each in endpoints]
            for name, endpoints in discovery.endpoints(config, prepared).items()
        } == everything
        discovery.keep(prepared)
        assert found(discovery, config) == everything
        # Whoever waited has not been told as well.
        assert changes == []
        assert registry.scope("cluster", "app").read()["update_success"] == 2
        assert registry.scope("cluster", "none").read()["update_empty"] == 1
        await discovery.close()

    run(work)


def test_a_failure_is_a_first_answer_too(server: DnsServer) -> None:
    server.fail("app.example")
    server.fail("app.example", "AAAA")

    async def work() -> None:
        discovery = Discovery(StatsRegistry(1), lambda: None)
        discovery.keep(await discovery.prepare(configured(dns(server, "app"))))
        assert found(discovery, configured(dns(server, "app"))) == {"app": []}
        await discovery.close()

    run(work)


@pytest.mark.parametrize("way", ["limit", "hurry", "hurried"])
def test_silence_is_not_waited_for_without_end(
    server: DnsServer, monkeypatch: pytest.MonkeyPatch, way: str
) -> None:
    server.silent = True
    monkeypatch.setattr(discovery_module, "WARMING_LIMIT_S", 0.05 if way == "limit" else LIMIT_S)

    async def work() -> None:
        discovery = Discovery(StatsRegistry(1), lambda: None)
        if way == "hurried":
            discovery.hurry()
        elif way == "hurry":
            asyncio.get_running_loop().call_later(0.05, discovery.hurry)
        discovery.keep(await discovery.prepare(configured(dns(server, "app"))))
        assert found(discovery, configured(dns(server, "app"))) == {"app": []}
        await discovery.close()

    run(work)


def test_what_is_unchanged_goes_on(server: DnsServer) -> None:
    for name in ("same", "other", "new"):
        server.set(f"{name}.example", ["192.0.2.1"])

    async def work() -> None:
        discovery = Discovery(StatsRegistry(1), lambda: None)
        discovery.keep(await discovery.prepare(configured(dns(server, "same"), dns(server, "other"))))
        config = configured(
            dns(server, "new"),
            dns(server, "same", connect_timeout_ms=1),
            dns(server, "other", dns_lookup_family="v4_only"),
        )
        discovery.keep(await discovery.prepare(config))
        assert found(discovery, config) == {name: ["192.0.2.1:80"] for name in ("new", "same", "other")}
        assert [server.asked(f"{name}.example") for name in ("new", "same", "other")] == [1, 1, 2]
        await discovery.close()

    run(work)


def test_what_was_discarded_is_gone_and_the_rest_goes_on(server: DnsServer) -> None:
    server.set("app.example", ["192.0.2.1"], ttl=0)

    async def work() -> None:
        discovery = Discovery(StatsRegistry(1), lambda: None)
        config = configured(dns(server, "app", dns_refresh_ms=10))
        discovery.keep(await discovery.prepare(config))
        discovery.discard(await discovery.prepare(configured(dns(server, "app"), dns(server, "new"))))
        asked = server.asked("app.example")
        while server.asked("app.example") < asked + 3:
            await asyncio.sleep(0.01)
        assert found(discovery, config) == {"app": ["192.0.2.1:80"]}
        await discovery.close()

    run(work)


def test_a_change_is_told(server: DnsServer) -> None:
    server.set("app.example", ["192.0.2.1"], ttl=0)

    async def work() -> None:
        changed = asyncio.Event()
        discovery = Discovery(StatsRegistry(1), changed.set)
        config = configured(dns(server, "app", dns_refresh_ms=10))
        discovery.keep(await discovery.prepare(config))
        assert not changed.is_set()
        server.set("app.example", ["192.0.2.2"], ttl=0)
        await changed.wait()
        assert found(discovery, config) == {"app": ["192.0.2.2:80"]}
        await discovery.close()

    run(work)


def test_cancelled_while_it_waits(server: DnsServer) -> None:
    server.silent = True

    async def work() -> None:
        discovery = Discovery(StatsRegistry(1), lambda: None)
        task = asyncio.ensure_future(discovery.prepare(configured(dns(server, "app"))))
        while not server.asked("app.example"):
            await asyncio.sleep(0.01)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        await discovery.close()

    run(work)


def test_many_names_are_looked_up_a_few_at_a_time(server: DnsServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(discovery_module, "CONCURRENT_LOOK_UPS", 2)
    names = [f"h{index}.example" for index in range(100)]
    for name in names:
        server.set(name, ["192.0.2.1"])
    config = configured(dns(server, "app", *(f"{name}:{index + 1}" for index, name in enumerate(names))))

    async def work() -> None:
        discovery = Discovery(StatsRegistry(1), lambda: None)
        discovery.keep(await discovery.prepare(config))
        assert len(found(discovery, config)["app"]) == 100
        await discovery.close()

    run(work)
