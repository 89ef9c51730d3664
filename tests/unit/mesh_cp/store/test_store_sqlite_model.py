"""The embedded store does what a plain one in memory does."""

from __future__ import annotations

import asyncio

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mesh_cp.store import Compare, Delete, Put, Store, StoreError
from tests.support.memory_store import MemoryStore
from tests.support.on_loop import on_loop
from tests.unit.mesh_cp.store.conftest import opened

KEYS = st.sampled_from(["a", "a/b", "a/c", "b"])
OPERATIONS = st.lists(
    st.one_of(
        st.builds(Put, KEYS, st.binary(max_size=3)),
        st.builds(Delete, KEYS),
        st.builds(Delete, st.sampled_from(["", "a", "a/"]), st.just(True)),
    ),
    max_size=4,
)
COMPARES = st.lists(
    st.one_of(
        st.builds(Compare, KEYS, st.just("value"), st.sampled_from(["==", "!=", "<", ">"]), st.binary(max_size=2)),
        st.builds(
            Compare,
            KEYS,
            st.sampled_from(["revision", "version", "create_revision"]),
            st.sampled_from(["==", "!=", "<", ">"]),
            st.integers(0, 6),
        ),
    ),
    max_size=1,
)


@settings(max_examples=40, deadline=None)
@given(st.lists(st.tuples(OPERATIONS, COMPARES), max_size=12), st.integers(0, 6))
def test_it_does_what_the_plain_one_does(
    tmp_path_factory: pytest.TempPathFactory, transactions: list[tuple[list[object], list[Compare]]], compacted: int
) -> None:
    @on_loop
    async def compare() -> None:
        plain = MemoryStore()
        async with opened(tmp_path_factory.mktemp("store")) as store:
            for operations, compares in transactions:
                assert await outcome(store, operations, compares) == await outcome(plain, operations, compares)
            current = await plain.revision()
            assert await store.revision() == current
            await asyncio.gather(*(each.compact(min(compacted, current)) for each in (store, plain)))
            for revision in range(current + 2):
                for prefix in ("", "a", "a/"):
                    assert await past(store, prefix, revision) == await past(plain, prefix, revision)
        await plain.close()

    compare()


async def outcome(store: Store, operations: list[object], compares: list[Compare]) -> object:
    try:
        return await store.transact(operations, compares)  # type: ignore[arg-type]
    except StoreError as error:
        return str(error)


async def past(store: Store, prefix: str, revision: int) -> object:
    try:
        return await store.list(prefix, revision), (await store.history(prefix, max(revision, 1))).changes
    except StoreError as error:
        return str(error)
