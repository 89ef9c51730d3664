"""The stores that the tests are about, and what is asked of them again and again."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path

import pytest

from mesh_cp.store import Changes, Store
from mesh_cp.store.sqlite import SqliteStore
from tests.support.memory_store import MemoryStore

OpenStore = Callable[[], AbstractAsyncContextManager[Store]]


@pytest.fixture(params=["sqlite", "memory"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> OpenStore:
    """Opens a new store of each kind, and closes it."""

    @asynccontextmanager
    async def opened() -> AsyncIterator[Store]:
        made: Store = MemoryStore() if request.param == "memory" else await SqliteStore.open(tmp_path / "store")
        try:
            yield made
        finally:
            await made.close()

    return opened


@asynccontextmanager
async def opened(path: Path, **options: int) -> AsyncIterator[SqliteStore]:
    """The embedded store in a folder."""
    store = await SqliteStore.open(path, **options)
    try:
        yield store
    finally:
        await store.close()


async def values(store: Store, prefix: str = "", revision: int | None = None) -> dict[str, bytes]:
    """What a list gives, by key."""
    return {entry.key: entry.value for entry in (await store.list(prefix, revision)).entries}


async def take(watch: object, count: int) -> list[Changes]:
    """The next that a watch gives."""
    return [await anext(watch) for _ in range(count)]  # type: ignore[call-overload]


async def until(store: Store, first: int, last: int) -> AsyncIterator[Changes]:
    """What a watch from one revision gives, to another one."""
    async with store.watch("", first) as watch:
        async for changes in watch:
            yield changes
            if changes.revision >= last:
                return
