"""Manifests as they stand in the store, followed: each change makes the world that all of them make."""

from __future__ import annotations

import pytest

from mesh_cp.model import Workload, build, changed_facts
from mesh_cp.push import followed
from mesh_cp.resources import Key
from tests.support.fake_sessions import Plane, hello, plane, workload
from tests.support.manifests import resources, service
from tests.support.memory_store import MemoryStore
from tests.support.on_loop import on_loop

CART = service("cart")


def entry(name: str, address: str, app: str = "cart") -> str:
    return (
        "apiVersion: networking.istio.io/v1\nkind: WorkloadEntry\n"
        f"metadata: {{name: {name}}}\nspec: {{address: {address}, labels: {{app: {app}}}}}\n"
    )


@on_loop
async def test_workloads_that_are_written_down_come_change_and_go(monkeypatch: pytest.MonkeyPatch) -> None:
    async with plane(MemoryStore()) as one:
        one.join(hello("cart-9", workload("cart", 9)))
        await one.apply(CART)
        await one.settled()
        # From here on no world is made of all manifests.
        monkeypatch.setattr(followed.Followed, "_world", None)
        steps = (
            (entry("a", "10.1.0.1"),),
            (entry("a", "10.1.0.2"), entry("b", "10.1.0.3")),
            (entry("a", "10.1.0.2", app="other"),),
        )
        known: dict[str, str] = {}
        for texts in steps:
            revision = await one.apply(*texts)
            await one.until(lambda revision=revision: one.pusher.versions.revision == revision)
            known.update((text.split("{name: ")[1][0], text) for text in texts)
            expected = build(resources(CART, *known.values()), registered(one))
            assert not changed_facts(one.pusher.world, expected)
        done = await one.catalog.delete([Key("WorkloadEntry", "default", "b")], "test")
        await one.until(lambda: one.pusher.versions.revision == done.revision)
        assert not changed_facts(one.pusher.world, build(resources(CART, known["a"]), registered(one)))


def registered(one: Plane) -> list[Workload]:
    return [each for each in one.pusher.world.workloads.values() if each.id.startswith("proxy/")]
