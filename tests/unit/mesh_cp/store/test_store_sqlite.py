"""The embedded store: its file and its restarts."""

from __future__ import annotations

import asyncio
import contextlib
import sqlite3
from pathlib import Path

import pytest

from mesh_cp.store import Entry, LeaseNotFoundError, Listing, Put, StoreOpenError
from mesh_cp.store.sqlite import SqliteStore
from tests.support.on_loop import on_loop
from tests.unit.mesh_cp.store.conftest import opened, until


@on_loop
async def test_all_is_there_after_a_restart(tmp_path: Path) -> None:
    async with opened(tmp_path) as store:
        lease = await store.grant(60_000)
        await store.put("a", b"1")
        await store.transact([Put("a", b"2"), Put("b", b"", lease.id), Put("gone", b"")])
        await store.delete("gone")
    async with opened(tmp_path) as store:
        assert await store.revision() == 4
        assert await store.list("") == Listing(4, (Entry("a", b"2", 2, 3, 2), Entry("b", b"", 3, 3, 1, lease.id)))
        assert await store.get("a", 2) == Entry("a", b"1", 2, 2, 1)
        assert [each.revision async for each in until(store, 2, 4)] == [2, 3, 4]
        await store.keep_alive(lease.id)
        await store.revoke(lease.id)
        assert await store.get("b") is None
        assert await store.put("c", b"") == 6


@on_loop
async def test_a_lease_expires_after_a_restart(tmp_path: Path) -> None:
    async with opened(tmp_path) as store:
        lease = await store.grant(200)
        await store.put("a", b"", lease.id)
    async with opened(tmp_path) as store:
        async with store.watch("", 3) as watch:
            (event,) = (await anext(watch)).events
        assert (event.key, event.entry) == ("a", None)
        with pytest.raises(LeaseNotFoundError):
            await store.keep_alive(lease.id)


@on_loop
async def test_files_are_for_their_owner_alone(tmp_path: Path) -> None:
    async with opened(tmp_path / "deep" / "store") as store:
        await store.put("a", b"")
        found = {path.name: path.stat().st_mode & 0o777 for path in (tmp_path / "deep" / "store").iterdir()}
    assert found == {"store.db": 0o600, "store.db-wal": 0o600, "store.db-shm": 0o600, "lock": 0o600}
    assert (tmp_path / "deep" / "store").stat().st_mode & 0o777 == 0o700


@on_loop
async def test_the_log_is_synced_before_anything_is_acknowledged(tmp_path: Path) -> None:
    """What a power cut would show cannot be shown here; this is what makes SQLite outlive one."""
    async with opened(tmp_path) as store:
        pragmas = [
            await store._writer.do(lambda ledger, name=name: ledger.connection.execute(f"PRAGMA {name}").fetchone()[0])
            for name in ("journal_mode", "synchronous")
        ]
    assert pragmas == ["wal", 2]


@on_loop
async def test_one_process_at_a_time(tmp_path: Path) -> None:
    async with opened(tmp_path):
        with pytest.raises(StoreOpenError, match=r"in use by another control plane \(process \d+\)"):
            await SqliteStore.open(tmp_path)
    async with opened(tmp_path):
        pass


def not_a_database(path: Path) -> None:
    path.write_bytes(b"something else entirely, and long enough to be read as a page " * 100)


def of_another_program(path: Path) -> None:
    with contextlib.closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE theirs (a)")


def of_a_newer_version(path: Path) -> None:
    asyncio.run(close_new(path.parent))
    with contextlib.closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA user_version = 2")


def damaged(path: Path) -> None:
    asyncio.run(close_new(path.parent))
    data = bytearray(path.read_bytes())
    for page in range(1, len(data) // 4096):
        data[page * 4096 : page * 4096 + 16] = b"\xff" * 16
    path.write_bytes(data)


def a_folder(path: Path) -> None:
    path.mkdir()


async def close_new(path: Path) -> None:
    async with opened(path) as store:
        await store.put("a", b"")


@pytest.mark.parametrize(
    ("spoil", "reason"),
    [
        (not_a_database, "not a database"),
        (of_another_program, "is a database of another program"),
        (of_a_newer_version, "has schema version 2, and this hopmesh knows 1"),
        (damaged, "is damaged|malformed"),
        (a_folder, "cannot be opened"),
    ],
)
def test_a_file_that_cannot_be_used(tmp_path: Path, spoil: object, reason: str) -> None:
    spoil(tmp_path / "store.db")  # type: ignore[operator]
    # Twice: the first failure must have let the folder go.
    for _ in range(2):
        with pytest.raises(StoreOpenError, match=reason):
            asyncio.run(SqliteStore.open(tmp_path))


def test_a_folder_that_cannot_be_made(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreOpenError, match="cannot be used: Not a directory"):
        asyncio.run(SqliteStore.open(tmp_path / "file" / "store"))
