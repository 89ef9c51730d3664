"""The embedded store: how it forgets."""

from __future__ import annotations

import asyncio
import contextlib
import sqlite3
from pathlib import Path

import pytest

from mesh_cp.store import CompactedError, Put
from mesh_cp.store.sqlite import watching as watching_module
from tests.support.on_loop import on_loop
from tests.unit.mesh_cp.store.conftest import opened, until


def rows(path: Path, query: str) -> list[tuple[object, ...]]:
    with contextlib.closing(sqlite3.connect(path / "store.db")) as connection:
        return connection.execute(query).fetchall()


@on_loop
async def test_history_is_kept_for_so_many_revisions(tmp_path: Path) -> None:
    async with opened(tmp_path, revisions_kept=50) as store:
        for number in range(100):
            await store.transact([Put("busy", str(number).encode()), Put(f"once/{number}", b"")])
            if number % 3 == 2:
                await store.delete(f"once/{number - 1}")
        current = await store.revision()
        with pytest.raises(CompactedError) as caught:
            await store.history("", 2)
        assert current - 52 <= caught.value.compact_revision <= current - 50
        # Of four revisions, three are of that key.
        assert len((await store.history("busy", current - 49)).changes) in (37, 38)
        assert len((await store.list("once/")).entries) == 67
        past = await store.get("busy", current - 49)
        assert past is not None and past.revision <= current - 49
    # Of what is forgotten, only what still holds is left: the newest row of each key.
    kept = rows(tmp_path, "SELECT count(*) FROM history WHERE key = 'busy'")[0][0]
    assert isinstance(kept, int) and kept <= 50
    deleted = rows(tmp_path, f"SELECT count(*) FROM history WHERE value IS NULL AND revision < {current - 52}")
    assert deleted == [(0,)]


@on_loop
async def test_a_long_history_goes_a_little_at_a_time(tmp_path: Path) -> None:
    async with opened(tmp_path) as store:
        await asyncio.gather(*(store.put("busy", str(number).encode()) for number in range(900)))
        await store.compact(901)
        left = []
        for number in range(6):
            await store.put("other", str(number).encode())
            page = await store._read(lambda c: c.execute("SELECT count(*) FROM history WHERE key='busy'").fetchone()[0])
            left.append(page)
        assert left[0] > 400
        assert left == sorted(left, reverse=True)
        assert left[-1] <= 2


@on_loop
async def test_a_watch_that_lags_reads_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watching_module, "RECENT_REVISIONS", 10)
    async with opened(tmp_path) as store:
        watch = store.watch("k")
        for number in range(200):
            await store.put(f"k{number % 3}", b"")
        seen = [await anext(watch) for _ in range(200)]
        assert [each.revision for each in seen] == list(range(2, 202))
        await store.compact(150)
        late = store.watch("", 100)
        with pytest.raises(CompactedError):
            await anext(late)


@on_loop
async def test_what_is_recent_is_bounded_in_bytes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watching_module, "RECENT_BYTES", 10_000)
    async with opened(tmp_path) as store:
        for number in range(20):
            await store.put(f"k{number}", b"x" * 1000)
        assert len(store._recent._changes) < 10
        assert [each.revision async for each in until(store, 2, 21)] == list(range(2, 22))
