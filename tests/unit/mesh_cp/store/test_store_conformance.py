"""What every implementation of the store does alike, as etcd does: entries, their history, and bounds."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from mesh_cp.store import CompactedError, Delete, Entry, FutureRevisionError, LimitError, Operation, Put
from mesh_cp.store.interface import KEY_LIMIT, OPERATION_LIMIT, VALUE_LIMIT_BYTES
from tests.support.on_loop import on_loop
from tests.unit.mesh_cp.store.conftest import OpenStore, values


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
