"""The embedded store: its file, its restarts, its disk, and how it forgets."""

from __future__ import annotations

import asyncio
import contextlib
import sqlite3
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mesh_cp.store import (
    Changes,
    CompactedError,
    Compare,
    Delete,
    Entry,
    LeaseNotFoundError,
    Listing,
    Put,
    Store,
    StoreBusyError,
    StoreError,
    StoreFailedError,
    StoreOpenError,
)
from mesh_cp.store.sqlite import SqliteStore
from mesh_cp.store.sqlite import store as store_module
from mesh_cp.store.sqlite import watching as watching_module
from mesh_cp.store.sqlite import writer as writer_module
from tests.support.memory_store import MemoryStore
from tests.support.on_loop import on_loop


@contextlib.asynccontextmanager
async def opened(path: Path, **options: int) -> AsyncIterator[SqliteStore]:
    store = await SqliteStore.open(path, **options)
    try:
        yield store
    finally:
        await store.close()


def rows(path: Path, query: str) -> list[tuple[object, ...]]:
    with contextlib.closing(sqlite3.connect(path / "store.db")) as connection:
        return connection.execute(query).fetchall()


# --- opening ---


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


async def until(store: Store, first: int, last: int) -> AsyncIterator[Changes]:
    async with store.watch("", first) as watch:
        async for changes in watch:
            yield changes
            if changes.revision >= last:
                return


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


# --- the disk ---


@on_loop
async def test_a_full_disk_refuses_and_the_store_goes_on(tmp_path: Path) -> None:
    async with opened(tmp_path) as store:
        await store.put("a", b"small")
        pages = await store._writer.do(lambda ledger: ledger.connection.execute("PRAGMA page_count").fetchone()[0])
        await store._writer.do(lambda ledger: ledger.connection.execute(f"PRAGMA max_page_count = {pages}").fetchall())
        lease = await store.grant(60_000)
        with pytest.raises(StoreFailedError, match="database or disk is full"):
            await store.transact([Put("b", b"x" * 500_000), Put("c", b"", lease.id)])
        assert await store.revision() == 2
        assert [entry.key for entry in (await store.list("")).entries] == ["a"]
        await store._writer.do(lambda ledger: ledger.connection.execute("PRAGMA max_page_count = 100000").fetchall())
        async with store.watch("") as watch:
            assert await store.put("b", b"x" * 500_000, lease.id) == 3
            assert (await anext(watch)).revision == 3


@on_loop
async def test_a_connection_that_cannot_roll_back_writes_no_more(tmp_path: Path) -> None:
    async with opened(tmp_path) as store:
        await store.put("a", b"1")
        await store._writer.do(lambda ledger: None)
        store._writable.close()
        for _ in range(2):
            with pytest.raises(StoreFailedError):
                await store.put("a", b"2")
        with pytest.raises(StoreFailedError, match="nothing can be written"):
            await store.grant(1000)
        assert [entry.value for entry in (await store.list("")).entries] == [b"1"]
    async with opened(tmp_path) as again:
        assert await again.put("a", b"3") == 3


@on_loop
async def test_a_lease_that_could_not_be_revoked_is_tried_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(store_module, "REVOKE_RETRY_S", 0.001)
    async with opened(tmp_path) as store:
        lease = await store.grant(10_000)
        await store.put("a", b"", lease.id)
        real, failures = store._writer.do, iter([StoreFailedError("full"), StoreBusyError("busy")])

        async def failing(work: object) -> object:
            for failure in failures:
                raise failure
            return await real(work)  # type: ignore[arg-type]

        monkeypatch.setattr(store._writer, "do", failing)
        async with store.watch("") as watch:
            assert store._leases is not None
            store._leases.expire(asyncio.get_running_loop().time() + 60)
            (event,) = (await anext(watch)).events
        assert (event.key, event.entry) == ("a", None)


@on_loop
async def test_what_waits_is_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(writer_module, "WAITING_LIMIT", 8)
    async with opened(tmp_path) as store:
        results = await asyncio.gather(*(store.put(f"k{n}", b"") for n in range(20)), return_exceptions=True)
        refused = [each for each in results if isinstance(each, StoreBusyError)]
        assert len(refused) == 12
        assert await store.revision() == 9
        await store.put("again", b"")


@on_loop
async def test_a_cancelled_caller_harms_nobody(tmp_path: Path) -> None:
    async with opened(tmp_path) as store:
        tasks = [asyncio.ensure_future(store.put(f"k{number}", b"")) for number in range(20)]
        await asyncio.sleep(0)
        for task in tasks[::2]:
            task.cancel()
        results = await asyncio.gather(*tasks, return_exceptions=True)
        assert all(isinstance(each, int) for each in results[1::2])
        # Cancelled or not, what was handed over is done.
        assert len((await store.list("")).entries) == 20


@on_loop
async def test_closing_does_what_waits(tmp_path: Path) -> None:
    store = await SqliteStore.open(tmp_path)
    writes = [asyncio.ensure_future(store.put(f"k{number}", b"")) for number in range(300)]
    await asyncio.sleep(0)
    await store.close()
    await store.close()
    assert sorted(await asyncio.gather(*writes)) == list(range(2, 302))
    async with opened(tmp_path) as again:
        assert len((await again.list("")).entries) == 300


# --- forgetting ---


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


# --- as the plain one does ---

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
