"""Registered workloads: kept in the store, and gone with their proxies."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence

from mesh_cp.model import Workload
from mesh_cp.push import registrations as registrations_module
from mesh_cp.push.registrations import PREFIX, Registrations
from mesh_cp.store import Compare, Operation, Outcome, StoreFailedError
from tests.support.fake_sessions import hello, plane, workload
from tests.support.memory_store import MemoryStore
from tests.support.on_loop import on_loop
from tests.support.waiting import LIMIT_S


async def stored(store: MemoryStore) -> list[str]:
    """The nodes in the store."""
    found = await Registrations(store, lambda changes: None).load()
    return sorted(each.name for each in found.values())


@on_loop
async def test_they_are_kept_over_a_restart_and_go_after_a_time_of_grace() -> None:
    store = MemoryStore()
    async with plane(store) as one:
        one.join(hello("cart-1", workload("cart")))
        one.join(hello("cart-2", workload("cart", 2)))
        await one.settled()
    assert await stored(store) == ["cart-1", "cart-2"]
    async with plane(store, grace_s=0.02) as one:
        assert len(one.pusher.world.workloads) == 2
        known = [(each.name, each.connected) for each in one.progress.proxies()]
        assert known == [("cart-1", False), ("cart-2", False)]
        one.join(hello("cart-1", workload("cart")))
        await one.until(lambda: len(one.pusher.world.workloads) == 1)
        assert [each.name for each in one.pusher.world.workloads.values()] == ["cart-1"]
    assert await stored(store) == ["cart-1"]


@on_loop
async def test_a_leave_takes_them_along_at_once() -> None:
    store = MemoryStore()
    async with plane(store) as one:
        cart = one.join(hello("cart-1", workload("cart")))
        await one.settled()
        await one.leave(cart)
        one.pusher.left(cart.session)
        assert len(one.pusher.world.workloads) == 0 and one.progress.proxies() == []
    assert await stored(store) == []


class Failing(MemoryStore):
    """Fails as often as it is told."""

    failures = 0

    async def transact(self, operations: Sequence[Operation], compares: Sequence[Compare] = ()) -> Outcome:
        if self.failures:
            self.failures -= 1
            raise StoreFailedError("the disk is full")
        return await super().transact(operations, compares)


@on_loop
async def test_what_cannot_be_written_is_tried_again_and_one_that_is_too_large_harms_nobody() -> None:
    store, told = Failing(), list[Mapping[str, Workload | None]]()
    store.failures = 1
    before, registrations_module.RETRY_S = registrations_module.RETRY_S, 0.01
    try:
        registrations = Registrations(store, told.append)
        labels = {f"{number:03}" + "x" * 100: "ü" * 256 for number in range(64)}
        large = tuple(workload("cart", port=number, labels=labels) for number in range(1, 65))
        registrations.register("large", "", large)
        registrations.register("cart-1", "", (workload("cart"),))
        async with asyncio.timeout(LIMIT_S):
            while not await stored(store):
                await asyncio.sleep(0.01)
        await registrations.close()
    finally:
        registrations_module.RETRY_S = before
    assert len(told) == 2
    assert await stored(store) == ["cart-1"]


@on_loop
async def test_rubbish_in_the_store_is_passed_over() -> None:
    store = MemoryStore()
    await store.put(PREFIX + "x", b"rubbish")
    assert await stored(store) == []
