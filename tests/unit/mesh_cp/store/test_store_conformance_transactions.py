"""What every implementation of the store does alike, as etcd does: transactions and what they are compared with."""

from __future__ import annotations

import asyncio

import pytest

from mesh_cp.store import Compare, Delete, Entry, LimitError, Put
from tests.support.on_loop import on_loop
from tests.unit.mesh_cp.store.conftest import OpenStore, values


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


@pytest.mark.parametrize("compare", [Compare("a", "value", "==", 1), Compare("a", "version", "==", b"")])
@on_loop
async def test_compares_are_of_the_field_s_type(store: OpenStore, compare: Compare) -> None:
    async with store() as made:
        with pytest.raises(LimitError):
            await made.transact([Put("a", b"")], [compare])
