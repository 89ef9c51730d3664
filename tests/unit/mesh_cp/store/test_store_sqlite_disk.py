"""The embedded store: a disk that is full, what waits for it, and who waits."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from mesh_cp.store import Put, StoreBusyError, StoreFailedError
from mesh_cp.store.sqlite import SqliteStore
from mesh_cp.store.sqlite import store as store_module
from mesh_cp.store.sqlite import writer as writer_module
from tests.support.on_loop import on_loop
from tests.unit.mesh_cp.store.conftest import opened


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
