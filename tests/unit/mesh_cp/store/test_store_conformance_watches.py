"""What every implementation of the store does alike, as etcd does: watches."""

from __future__ import annotations

import asyncio

import pytest

from mesh_cp.store import Changes, Delete, Entry, Event, Put, Store, StoreClosedError
from tests.support.on_loop import on_loop
from tests.unit.mesh_cp.store.conftest import OpenStore, take, values


@on_loop
async def test_a_watch_from_now(store: OpenStore) -> None:
    async with store() as made:
        await made.put("a", b"before")
        async with made.watch("a") as watch:
            await made.put("a", b"1")
            await made.put("b", b"other")
            await made.transact([Put("a/1", b"2"), Put("b", b""), Delete("a")])
            assert await take(watch, 2) == [
                Changes(3, (Event("a", Entry("a", b"1", 2, 3, 2)),)),
                Changes(5, (Event("a/1", Entry("a/1", b"2", 5, 5, 1)), Event("a", None))),
            ]


@on_loop
async def test_a_watch_from_the_past_goes_on_into_the_present(store: OpenStore) -> None:
    async with store() as made:
        for number in range(20):
            await made.put("a", str(number).encode())
        async with made.watch("", 12) as watch:
            first = await take(watch, 10)
            waiting = asyncio.ensure_future(anext(watch))
            await asyncio.sleep(0)
            await made.put("b", b"")
            assert [each.revision for each in [*first, await waiting]] == [*range(12, 22), 22]


@on_loop
async def test_a_watch_from_the_future_waits_for_it(store: OpenStore) -> None:
    async with store() as made, made.watch("", 4) as watch:
        for name in "abc":
            await made.put(name, b"")
        assert (await anext(watch)).revision == 4


@on_loop
async def test_listing_and_watching_from_there_misses_nothing(store: OpenStore) -> None:
    async with store() as made:
        writing = asyncio.ensure_future(write_many(made, 200))
        listing = await made.list("k/")
        state = {entry.key: entry.value for entry in listing.entries}
        async with made.watch("k/", listing.revision + 1) as watch:
            async for changes in watch:
                for event in changes.events:
                    if event.entry is None:
                        del state[event.key]
                    else:
                        state[event.key] = event.entry.value
                if changes.revision == 201:
                    break
        await writing
        assert state == await values(made, "k/")


async def write_many(store: Store, count: int) -> None:
    for number in range(count):
        key = f"k/{number % 7}"
        if number % 5 == 4 and await store.get(key) is not None:
            await store.delete(key)
        else:
            await store.put(key, str(number).encode())


@on_loop
async def test_many_watches_see_the_same(store: OpenStore) -> None:
    async with store() as made:
        watches = [made.watch("k/") for _ in range(20)]
        taking = [asyncio.ensure_future(take(watch, 50)) for watch in watches]
        await asyncio.gather(*(made.put(f"k/{number}", b"") for number in range(50)))
        seen = await asyncio.gather(*taking)
        assert all(each == seen[0] for each in seen)
        assert [each.revision for each in seen[0]] == list(range(2, 52))
        for watch in watches:
            watch.close()


@on_loop
async def test_a_watch_that_is_closed_ends_who_waits(store: OpenStore) -> None:
    async with store() as made:
        watch = made.watch("")
        waiting = asyncio.ensure_future(anext(watch, None))
        await asyncio.sleep(0)
        watch.close()
        assert await waiting is None


@on_loop
async def test_closing_the_store_ends_watches_and_refuses_the_rest(store: OpenStore) -> None:
    async with store() as made:
        watch = made.watch("")
        waiting = asyncio.ensure_future(anext(watch))
        await asyncio.sleep(0)
        await made.close()
        with pytest.raises(StoreClosedError):
            await waiting
        for call in (made.put("a", b""), made.get("a"), made.list(""), made.history("", 1), made.revision()):
            with pytest.raises(StoreClosedError):
                await call
