"""How far changes have come, and what they would do."""

from __future__ import annotations

import asyncio
import time
from typing import Any

from mesh_cp.catalog import Edit
from mesh_cp.push.versions import Versions
from mesh_cp.resources import Key
from tests.support.fake_sessions import Plane, hello, plane, workload
from tests.support.manifests import resources, service
from tests.support.memory_store import MemoryStore
from tests.support.on_loop import on_loop

ROUTE = """
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: {name: cart}
spec:
  parentRefs: [{group: "", kind: Service, name: cart}]
  rules: [{backendRefs: [{name: cart, port: 80}], timeouts: {request: 5s}}]
"""


async def acknowledged(one: Plane, revision: int, timeout_s: float = 30.0) -> Any:
    return await one.progress.acknowledged(revision, time.monotonic(), timeout_s)


async def ready(one: Plane) -> list[Any]:
    """Two that are concerned with the cart, and one that is not."""
    await one.apply(service("cart"))
    sessions = [one.join(hello(node, dials=(host,))) for node, host in (("a", "cart"), ("b", "cart"), ("c", "mail"))]
    await one.until(lambda: one.pusher.versions.revision == 2 and all(each.delivery.in_sync for each in sessions))
    return sessions


@on_loop
async def test_those_who_are_concerned_are_waited_for() -> None:
    async with plane(MemoryStore()) as one:
        await ready(one)
        done = await acknowledged(one, await one.apply(ROUTE))
        assert (done.affected, done.acknowledged, done.rejected, done.waiting) == (2, 2, (), ())
        done = await acknowledged(one, await one.apply(service("other")))
        assert (done.affected, done.acknowledged) == (0, 0)
        assert {(each.name, each.in_sync, each.revision) for each in one.progress.proxies()} == {
            (name, True, 4) for name in "abc"
        }


@on_loop
async def test_who_refuses_and_who_does_not_answer_are_named() -> None:
    async with plane(MemoryStore()) as one:
        first, second, _ = await ready(one)
        first.answers = second.answers = False
        revision = await one.apply(ROUTE)
        waiting = asyncio.ensure_future(acknowledged(one, revision, 0.2))
        await one.until(lambda: first.sent and one.pusher.versions.of_revision(revision) is not None)
        await one.settled()
        first.nack("bad", "worse")
        done = await waiting
        assert (done.affected, done.acknowledged, done.waiting) == (2, 0, ("b",))
        assert [(each.proxy, each.reasons) for each in done.rejected] == [("a", ("bad", "worse"))]
        status = next(each for each in one.progress.proxies() if each.name == "a")
        assert (status.in_sync, status.faults, status.revision) == (False, ("bad", "worse"), 2)
        # A refusal of before is no answer to the next change.
        second.ack()
        first.answers = second.answers = True
        done = await acknowledged(one, await one.apply(service("cart", 81)))
        assert (done.affected, done.acknowledged, done.rejected) == (2, 2, ())


@on_loop
async def test_one_that_goes_meanwhile_is_not_waited_for() -> None:
    async with plane(MemoryStore()) as one:
        first, _, _ = await ready(one)
        first.answers = False
        revision = await one.apply(ROUTE)
        await one.until(lambda: one.pusher.versions.of_revision(revision) is not None)
        waiting = asyncio.ensure_future(acknowledged(one, revision))
        await one.settled()
        one.pusher.left(first.session)
        done = await waiting
        assert (done.affected, done.acknowledged, done.waiting) == (2, 1, ("a",))


@on_loop
async def test_a_revision_that_never_comes() -> None:
    async with plane(MemoryStore()) as one:
        await ready(one)
        done = await acknowledged(one, 1000, 0.01)
        assert (done.affected, done.waiting) == (3, ("a", "b", "c"))


@on_loop
async def test_what_edits_would_do() -> None:
    async with plane(MemoryStore()) as one:
        await ready(one)
        one.join(hello("cart-1", workload("cart", 1, labels={"app": "cart"})))
        (route,) = resources(ROUTE)
        found = await one.progress.preview([Edit(route.key, None, route.document)])
        key = "route outbound/cart.default.svc.cluster.local:80"
        assert [(each.proxy, each.set, each.removed) for each in found] == [("a", (key,), ()), ("b", (key,), ())]
        gone = await one.progress.preview([Edit(Key("Service", "default", "cart"), {}, None)])
        assert [each.proxy for each in gone] == ["a", "b"] and all(key in each.removed for each in gone)
        assert len(one.pusher.world.policies) == 0


@on_loop
async def test_contradictions() -> None:
    async with plane(MemoryStore()) as one:
        await one.apply(ROUTE)
        await one.until(lambda: one.pusher.world.problems)
        (problem,) = one.progress.problems(Key("HTTPRoute", "default", "cart"))[:1]
        assert "cart" in problem.message
        assert one.progress.problems(Key("HTTPRoute", "default", "other")) == []


@on_loop
async def test_versions_forget() -> None:
    versions = Versions()
    for revision in range(1, 30_001):
        versions.next(revision, ("p",))
    assert versions.of_revision(30_000) == 30_000 and versions.of_revision(30_001) is None
    assert versions.revision_of(30_000) == 30_000 and versions.revision_of(1) == 0
    assert versions.concerned(30_000) == {"p"} and versions.concerned(1) == frozenset()
