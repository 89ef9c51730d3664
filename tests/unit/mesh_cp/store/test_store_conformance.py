"""What every implementation of the store does alike: etcd's semantics."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import pytest

from mesh_cp.store import (
    Changes,
    CompactedError,
    Compare,
    Delete,
    Entry,
    Event,
    FutureRevisionError,
    LeaseNotFoundError,
    LimitError,
    Operation,
    Put,
    Store,
    StoreClosedError,
)
from mesh_cp.store.interface import KEY_LIMIT, OPERATION_LIMIT, TTL_LIMIT_MS, VALUE_LIMIT_BYTES
from tests.support.on_loop import on_loop
from tests.unit.mesh_cp.store.conftest import OpenStore


async def values(store: Store, prefix: str = "", revision: int | None = None) -> dict[str, bytes]:
    return {entry.key: entry.value for entry in (await store.list(prefix, revision)).entries}


@on_loop
async def test_an_empty_store(store: OpenStore) -> None:
    async with store() as made:
        assert await made.revision() == 1
        assert await made.get("a") is None
        listing = await made.list("")
        assert (listing.revision, listing.entries) == (1, ())


@on_loop
async def test_an_entry_tells_its_revisions(store: OpenStore) -> None:
    async with store() as made:
        assert await made.put("a", b"1") == 2
        assert await made.put("b", b"") == 3
        assert await made.put("a", b"2") == 4
        assert await made.get("a") == Entry("a", b"2", create_revision=2, revision=4, version=2)
        assert await made.get("b") == Entry("b", b"", create_revision=3, revision=3, version=1)
        assert await made.delete("a") == 5
        assert await made.get("a") is None
        assert await made.put("a", b"3") == 6
        assert await made.get("a") == Entry("a", b"3", create_revision=6, revision=6, version=1)


@on_loop
async def test_deleting_nothing_is_no_change(store: OpenStore) -> None:
    async with store() as made:
        assert await made.delete("a") == 1
        assert (await made.transact([Delete("a/", is_prefix=True)])).revision == 1
        assert (await made.transact([])).revision == 1


@on_loop
async def test_lists_are_ordered_and_bounded_by_the_prefix(store: OpenStore) -> None:
    async with store() as made:
        names = ["a", "a/b", "a/B", "a/~", "a~", "a0", "b", "!", "~", "~~"]
        await made.transact([Put(name, name.encode()) for name in names])
        assert list(await values(made)) == sorted(names)
        assert list(await values(made, "a/")) == ["a/B", "a/b", "a/~"]
        assert list(await values(made, "a")) == ["a", "a/B", "a/b", "a/~", "a0", "a~"]
        assert list(await values(made, "~")) == ["~", "~~"]
        assert await values(made, "c") == {}


@on_loop
async def test_reading_the_past(store: OpenStore) -> None:
    async with store() as made:
        await made.put("a", b"1")
        await made.transact([Put("a", b"2"), Put("b", b"1")])
        await made.delete("a")
        assert await values(made, "", 1) == {}
        assert await values(made, "", 2) == {"a": b"1"}
        assert await values(made, "", 3) == {"a": b"2", "b": b"1"}
        assert await values(made, "", 4) == {"b": b"1"}
        assert (await made.get("a", 3)) == Entry("a", b"2", 2, 3, 2)
        assert await made.get("a", 4) is None
        assert (await made.list("", 3)).revision == 3
        for reading in (made.get("a", 5), made.list("", 5)):
            with pytest.raises(FutureRevisionError) as caught:
                await reading
            assert (caught.value.revision, caught.value.current) == (5, 4)


@on_loop
async def test_a_transaction_is_one_revision(store: OpenStore) -> None:
    async with store() as made:
        await made.transact([Put("a/1", b""), Put("a/2", b""), Put("b", b"")])
        outcome = await made.transact([Delete("a/", is_prefix=True), Put("c", b"x"), Delete("nothing")])
        assert (outcome.succeeded, outcome.revision) == (True, 3)
        assert await values(made) == {"b": b"", "c": b"x"}
        page = await made.history("", 2)
        assert page.next_revision == 4
        assert [(each.revision, [event.key for event in each.events]) for each in page.changes] == [
            (2, ["a/1", "a/2", "b"]),
            (3, ["a/1", "a/2", "c"]),
        ]


ENTRY = Entry("a", b"m", create_revision=2, revision=3, version=2)


@pytest.mark.parametrize(
    ("compare", "holds"),
    [
        (Compare("a", "value", "==", b"m"), True),
        (Compare("a", "value", "==", b"n"), False),
        (Compare("a", "value", "!=", b"n"), True),
        (Compare("a", "value", "<", b"n"), True),
        (Compare("a", "value", ">", b"n"), False),
        (Compare("a", "version", "==", 2), True),
        (Compare("a", "version", ">", 1), True),
        (Compare("a", "revision", "==", 3), True),
        (Compare("a", "revision", "<", 3), False),
        (Compare("a", "create_revision", "!=", 2), False),
        (Compare("a", "lease", "==", 0), True),
        (Compare.unchanged("a", 3), True),
        (Compare.unchanged("a", 2), False),
        (Compare.unchanged("b", 0), True),
        (Compare.absent("b"), True),
        (Compare.absent("a"), False),
        (Compare("b", "value", "==", b""), False),
        (Compare("b", "value", "!=", b"x"), False),
        (Compare("b", "version", "==", 0), True),
    ],
)
@on_loop
async def test_compares(store: OpenStore, compare: Compare, holds: bool) -> None:
    async with store() as made:
        await made.put("a", b"x")
        await made.put("a", b"m")
        assert await made.get("a") == ENTRY
        outcome = await made.transact([Put("c", b"")], [compare])
        assert outcome.succeeded is holds
        assert outcome.revision == await made.revision() == (4 if holds else 3)
        assert (await made.get("c") is not None) is holds


@on_loop
async def test_all_compares_must_hold(store: OpenStore) -> None:
    async with store() as made:
        await made.put("a", b"x")
        outcome = await made.transact([Delete("a")], [Compare.unchanged("a", 2), Compare.unchanged("b", 1)])
        assert not outcome.succeeded
        assert await made.get("a") is not None


@on_loop
async def test_one_of_many_who_compete_wins(store: OpenStore) -> None:
    async with store() as made:

        async def claim(name: int) -> bool:
            outcome = await made.transact([Put("owner", str(name).encode())], [Compare.absent("owner")])
            return outcome.succeeded

        won = await asyncio.gather(*(claim(name) for name in range(50)))
        assert won.count(True) == 1
        owner = await made.get("owner")
        assert owner is not None and int(owner.value) == won.index(True)


@on_loop
async def test_counting_by_compare_and_swap_loses_nothing(store: OpenStore) -> None:
    async with store() as made:

        async def add() -> None:
            while True:
                entry = await made.get("n")
                number, revision = (0, 0) if entry is None else (int(entry.value), entry.revision)
                put = Put("n", str(number + 1).encode())
                if (await made.transact([put], [Compare.unchanged("n", revision)])).succeeded:
                    return

        await asyncio.gather(*(add() for _ in range(20)))
        entry = await made.get("n")
        assert entry is not None and (entry.value, entry.version) == (b"20", 20)


@pytest.mark.parametrize(
    "operations",
    [
        [Put("", b"")],
        [Put("a b", b"")],
        [Put("ä", b"")],
        [Put("a\0", b"")],
        [Put("a\n", b"")],
        [Put("a" * (KEY_LIMIT + 1), b"")],
        [Delete("")],
        [Delete("a b", is_prefix=True)],
        [Put("a", b"x" * (VALUE_LIMIT_BYTES + 1))],
        [Put("a", b""), Put("a", b"")],
        [Put("a", b""), Delete("a")],
        [Put("a/b", b""), Delete("a/", is_prefix=True)],
        [Put(f"a{number}", b"") for number in range(OPERATION_LIMIT + 1)],
        [Put(f"a{number}", b"x" * VALUE_LIMIT_BYTES) for number in range(65)],
    ],
)
@on_loop
async def test_what_is_out_of_bounds_changes_nothing(store: OpenStore, operations: Sequence[Operation]) -> None:
    async with store() as made:
        with pytest.raises(LimitError):
            await made.transact([Put("first", b""), *operations])
        assert await made.revision() == 1


@pytest.mark.parametrize("compare", [Compare("a", "value", "==", 1), Compare("a", "version", "==", b"")])
@on_loop
async def test_compares_are_of_the_field_s_type(store: OpenStore, compare: Compare) -> None:
    async with store() as made:
        with pytest.raises(LimitError):
            await made.transact([Put("a", b"")], [compare])


# --- watches ---


async def take(watch: object, count: int) -> list[Changes]:
    return [await anext(watch) for _ in range(count)]  # type: ignore[call-overload]


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


# --- compaction ---


@on_loop
async def test_compaction(store: OpenStore) -> None:
    async with store() as made:
        for number in range(5):
            await made.put("a", str(number).encode())
        await made.put("b", b"")
        await made.delete("b")
        await made.compact(5)
        for call in (made.get("a", 4), made.list("", 4), made.history("", 4), made.compact(4)):
            with pytest.raises(CompactedError) as caught:
                await call
            assert (caught.value.revision, caught.value.compact_revision) == (4, 5)
        with pytest.raises(CompactedError):
            await anext(made.watch("", 4))
        with pytest.raises(FutureRevisionError):
            await made.compact(9)
        assert await values(made, "", 5) == {"a": b"3"}
        assert await values(made, "", 7) == {"a": b"4", "b": b""}
        assert [each.revision for each in (await made.history("", 6)).changes] == [6, 7, 8]
        await made.compact(8)
        assert await values(made, "", 8) == await values(made) == {"a": b"4"}
        assert (await made.get("a")) == Entry("a", b"4", 2, 6, 5)


# --- leases ---


@on_loop
async def test_a_lease_that_expires_takes_its_keys_with_it(store: OpenStore) -> None:
    async with store() as made:
        lease = await made.grant(20)
        assert lease.ttl_ms == 20
        async with made.watch("") as watch:
            await made.transact([Put("a", b"", lease.id), Put("b", b"", lease.id), Put("c", b"")])
            await take(watch, 1)
            assert await anext(watch) == Changes(3, (Event("a", None), Event("b", None)))
        assert list(await values(made)) == ["c"]
        with pytest.raises(LeaseNotFoundError):
            await made.keep_alive(lease.id)
        with pytest.raises(LeaseNotFoundError):
            await made.put("a", b"", lease.id)
        assert await made.revision() == 3


@on_loop
async def test_revoking_a_lease(store: OpenStore) -> None:
    async with store() as made:
        lease = await made.grant(TTL_LIMIT_MS)
        await made.keep_alive(lease.id)
        await made.put("a", b"", lease.id)
        entry = await made.get("a")
        assert entry is not None and entry.lease == lease.id
        await made.revoke(lease.id)
        assert await values(made) == {}
        with pytest.raises(LeaseNotFoundError):
            await made.revoke(lease.id)
        with pytest.raises(LeaseNotFoundError) as caught:
            await made.keep_alive(lease.id)
        assert caught.value.lease == lease.id


@on_loop
async def test_a_key_that_is_put_again_leaves_its_lease(store: OpenStore) -> None:
    async with store() as made:
        first, second = await made.grant(TTL_LIMIT_MS), await made.grant(TTL_LIMIT_MS)
        assert first.id != second.id
        await made.transact([Put("a", b"", first.id), Put("b", b"", first.id), Put("c", b"", first.id)])
        await made.transact([Put("a", b""), Put("b", b"", second.id), Delete("c")])
        revision = await made.revision()
        await made.revoke(first.id)
        assert await made.revision() == revision
        await made.revoke(second.id)
        assert list(await values(made)) == ["a"]


@pytest.mark.parametrize("ttl_ms", [0, -1, TTL_LIMIT_MS + 1])
@on_loop
async def test_times_that_no_lease_can_have(store: OpenStore, ttl_ms: int) -> None:
    async with store() as made:
        with pytest.raises(LimitError):
            await made.grant(ttl_ms)
