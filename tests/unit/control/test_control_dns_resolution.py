"""The names of a cluster: when they are looked up, what is kept, and which endpoints come of it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from mesh_core.config import Cluster, load_builtins
from mesh_core.control.dns import cluster_resolution
from mesh_core.control.dns.cluster_resolution import ClusterResolution
from mesh_core.telemetry.stats import StatsScope
from tests.support.dns_fakes import AAAA, A, FakeClock, FakeResolver

NAME = "app.example"


class Running:
    """A cluster that is being resolved, with a fake resolver and a fake clock."""

    def __init__(self, resolver: FakeResolver, cluster: Cluster, earlier: ClusterResolution | None = None) -> None:
        self.resolver = resolver
        self.clock = FakeClock()
        self.scope = StatsScope("cluster", ("app",), 2)
        self.changes = 0
        self.resolution = ClusterResolution(
            cluster, resolver, self.scope, self._on_change, sleep=self.clock.sleep, earlier=earlier
        )

    def _on_change(self, resolution: ClusterResolution) -> None:
        assert resolution is self.resolution
        self.changes += 1

    @property
    def endpoints(self) -> list[str]:
        return [each.name for each in self.resolution.endpoints]

    @property
    def updates(self) -> dict[str, int]:
        return {name[7:]: value for name, value in self.scope.read().items() if name.startswith("update_") and value}


def cluster(*endpoints: str, type: str = "strict_dns", **more: Any) -> Cluster:
    return load_builtins({"clusters": [{"name": "app", "type": type, "endpoints": endpoints, **more}]}).clusters[0]


@asynccontextmanager
async def running(resolver: FakeResolver, *endpoints: str, **more: Any) -> AsyncIterator[Running]:
    made = Running(resolver, cluster(*(endpoints or (f"{NAME}:80",)), **more))
    made.resolution.start()
    await made.clock.settle(len(endpoints) or 1)
    yield made
    await made.resolution.stop()


def within(value: float, least: float, most: float) -> bool:
    return least <= value <= most


@pytest.mark.parametrize(
    ("ttl", "more", "seconds"),
    [
        (60, {}, 60),
        (0, {}, 5),
        (None, {}, 5),
        (None, {"dns_refresh_ms": 700}, 0.7),
        (60, {"respect_dns_ttl": False}, 5),
        (3, {"dns_min_refresh_ms": 10_000}, 10),
        (86400, {}, 300),
        (86400, {"dns_max_refresh_ms": 86_400_000}, 86400),
        (2**31 - 1, {}, 300),
    ],
)
def test_when_a_name_is_looked_up_again(ttl: int | None, more: dict[str, Any], seconds: float) -> None:
    """Never before, and at most a tenth later."""

    async def work() -> None:
        resolver = FakeResolver()
        resolver.set(NAME, "192.0.2.1", ttl=ttl)
        async with running(resolver, **more) as app:
            for _ in range(20):
                assert within(await app.clock.wake(), seconds, seconds * 1.1)
            assert len(set(app.clock.delays)) > 1
            assert app.updates == {"attempt": 21, "success": 21}
            assert app.changes == 1

    asyncio.run(work())


def test_the_shorter_ttl_of_two_families_counts() -> None:
    async def work() -> None:
        resolver = FakeResolver()
        resolver.set(NAME, "192.0.2.1", ttl=60)
        resolver.set(NAME, "2001:db8::1", family=AAAA, ttl=20)
        async with running(resolver, dns_lookup_family="all") as app:
            assert within(app.clock.delays[-1], 20, 22)

    asyncio.run(work())


def test_a_failure_keeps_the_last_good_addresses_and_backs_off() -> None:
    async def work() -> None:
        resolver = FakeResolver()
        resolver.set(NAME, "192.0.2.1")
        async with running(resolver) as app:
            resolver.fail(NAME)
            for seconds in (1, 2, 4, 8, 10, 10, 10):
                assert within(await app.clock.wake(), seconds / 2, seconds)
                assert app.endpoints == ["192.0.2.1:80"]
            assert app.updates == {"attempt": 8, "success": 1, "failure": 7}
            resolver.set(NAME, "192.0.2.2")
            assert within(await app.clock.wake(), 60, 66)
            assert app.endpoints == ["192.0.2.2:80"]
            resolver.fail(NAME)
            assert within(await app.clock.wake(), 0.5, 1)

    asyncio.run(work())


def test_failing_for_months_does_not_overflow() -> None:
    async def work() -> None:
        async with running(FakeResolver(), dns_failure_max_refresh_ms=2**31 - 1) as app:
            for _ in range(2000):
                assert await app.clock.wake() < 2**31 / 1000

    asyncio.run(work())


def test_no_address_is_an_answer() -> None:
    """The endpoints of a strict_dns cluster go with it; a logical_dns cluster keeps its last one."""

    async def work(type: str) -> list[str]:
        resolver = FakeResolver()
        resolver.set(NAME, "192.0.2.1")
        async with running(resolver, type=type, dns_lookup_family="v4_only") as app:
            resolver.set(NAME)
            assert within(await app.clock.wake(), 5, 5.5)
            assert app.updates == {"attempt": 2, "success": 1, "empty": 1}
            return app.endpoints

    assert asyncio.run(work("strict_dns")) == []
    assert asyncio.run(work("logical_dns")) == ["192.0.2.1:80"]


@pytest.mark.parametrize(
    ("family", "asked", "v4", "v6", "found"),
    [
        ("v4_only", [A], True, True, ["4"]),
        ("v6_only", [AAAA], True, True, ["6"]),
        ("v4_preferred", [A], True, True, ["4"]),
        ("v4_preferred", [A, AAAA], False, True, ["6"]),
        ("v4_preferred", [A, AAAA], None, True, ["6"]),
        ("auto", [AAAA], True, True, ["6"]),
        ("auto", [AAAA, A], True, False, ["4"]),
        ("auto", [AAAA, A], True, None, ["4"]),
        ("all", [A, AAAA], True, True, ["4", "6"]),
        ("all", [A, AAAA], None, True, ["6"]),
        ("all", [A, AAAA], True, False, ["4"]),
    ],
)
def test_families(family: str, asked: list[int], v4: bool | None, v6: bool | None, found: list[str]) -> None:
    """`v4`, `v6`: whether there are addresses; None for a look-up that fails."""

    async def work() -> None:
        resolver = FakeResolver()
        for has, kind, address in ((v4, A, "192.0.2.4"), (v6, AAAA, "2001:db8::6")):
            if has is not None:
                resolver.set(NAME, *([address] if has else []), family=kind)
        async with running(resolver, dns_lookup_family=family) as app:
            assert [kind for _, kind in resolver.asked] == asked
            assert app.endpoints == [{"4": "192.0.2.4:80", "6": "[2001:db8::6]:80"}[each] for each in found]
            assert ("failure" in app.updates) == (None in (v4, v6) and (len(asked) == 2))

    asyncio.run(work())


@pytest.mark.parametrize("family", ["v4_preferred", "all"])
def test_a_family_that_fails_keeps_its_addresses(family: str) -> None:
    """The other one does not step in, nor does it go without."""

    async def work() -> None:
        resolver = FakeResolver()
        resolver.set(NAME, "192.0.2.4")
        resolver.set(NAME, "2001:db8::6", family=AAAA)
        async with running(resolver, dns_lookup_family=family) as app:
            before = app.endpoints
            resolver.fail(NAME)
            await app.clock.wake()
            assert app.endpoints == before
            assert app.updates["failure"] == 1

    asyncio.run(work())


def test_endpoints_of_several_names_and_addresses() -> None:
    """Each address once, whichever name it came by; an address that is written is there from the start."""

    async def work() -> None:
        resolver = FakeResolver()
        resolver.set("a.example", "192.0.2.2", "192.0.2.1")
        resolver.set("b.example", "192.0.2.2", "192.0.2.3")
        made = Running(resolver, cluster("a.example:80", "192.0.2.9:80", "b.example:80", "a.example:81"))
        assert made.endpoints == ["192.0.2.9:80"]
        assert not made.resolution.warm
        made.resolution.start()
        await made.resolution.until_warm()
        assert made.resolution.warm
        assert [(each.name, each.source) for each in made.resolution.endpoints] == [
            ("192.0.2.1:80", "a.example:80"),
            ("192.0.2.2:80", "a.example:80"),
            ("192.0.2.9:80", "192.0.2.9:80"),
            ("192.0.2.3:80", "b.example:80"),
            ("192.0.2.1:81", "a.example:81"),
            ("192.0.2.2:81", "a.example:81"),
        ]
        await made.resolution.stop()

    asyncio.run(work())


def test_another_order_is_no_change_of_strict_dns() -> None:
    async def work() -> None:
        resolver = FakeResolver()
        resolver.set(NAME, "192.0.2.2", "192.0.2.1", "192.0.2.2")
        async with running(resolver) as app:
            resolver.set(NAME, "192.0.2.1", "192.0.2.2")
            await app.clock.wake()
            assert app.changes == 1
            resolver.set(NAME, "192.0.2.1")
            await app.clock.wake()
            assert app.changes == 2
            assert app.endpoints == ["192.0.2.1:80"]

    asyncio.run(work())


def test_logical_dns_goes_to_the_first() -> None:
    async def work() -> None:
        resolver = FakeResolver()
        resolver.set(NAME, "192.0.2.2", "192.0.2.1")
        async with running(resolver, type="logical_dns") as app:
            assert app.endpoints == ["192.0.2.2:80"]
            resolver.set(NAME, "192.0.2.1", "192.0.2.2")
            await app.clock.wake()
            assert app.endpoints == ["192.0.2.1:80"]

    asyncio.run(work())


def test_no_more_endpoints_than_the_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cluster_resolution, "MOST_ENDPOINTS", 3)

    async def work() -> None:
        resolver = FakeResolver()
        resolver.set(NAME, *(f"192.0.2.{index}" for index in range(1, 6)))
        async with running(resolver) as app:
            assert app.endpoints == ["192.0.2.1:80", "192.0.2.2:80", "192.0.2.3:80"]
            assert app.updates["overflow"] == 1

    asyncio.run(work())


@pytest.mark.parametrize("type", ["strict_dns", "logical_dns"])
def test_the_same_cluster_with_other_settings_starts_with_what_was_known(type: str) -> None:
    async def work() -> None:
        resolver = FakeResolver()
        resolver.set(NAME, "192.0.2.1")
        async with running(resolver, type=type) as app:
            resolver.fail(NAME)
            after = Running(resolver, cluster(f"{NAME}:80", type=type, dns_refresh_ms=7000), app.resolution)
            assert after.endpoints == ["192.0.2.1:80"]
            after.resolution.start()
            await after.clock.settle()
            assert after.endpoints == ["192.0.2.1:80"]
            await after.resolution.stop()

    asyncio.run(work())


def test_another_name_starts_with_nothing() -> None:
    async def work() -> None:
        resolver = FakeResolver()
        resolver.set(NAME, "192.0.2.1")
        for type in ("strict_dns", "logical_dns"):
            async with running(resolver, type=type) as app:
                assert Running(resolver, cluster("other.example:80", type=type), app.resolution).endpoints == []

    asyncio.run(work())
