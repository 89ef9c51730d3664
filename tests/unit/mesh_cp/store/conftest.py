"""The stores that the conformance tests are about."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path

import pytest

from mesh_cp.store import Store
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
