"""The embedded store: the interface, over one file."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TypeVar

import structlog

from mesh_cp.store.errors import LeaseNotFoundError, StoreClosedError, StoreError, StoreFailedError
from mesh_cp.store.interface import (
    Compare,
    Entry,
    Lease,
    Listing,
    Operation,
    Outcome,
    Page,
    Store,
    Watch,
    check_key,
    check_transaction,
    check_ttl,
)
from mesh_cp.store.sqlite import reading
from mesh_cp.store.sqlite.database import Folder, open_readable, open_writable
from mesh_cp.store.sqlite.leases import LeaseTimes
from mesh_cp.store.sqlite.watching import Recent, RecentWatch
from mesh_cp.store.sqlite.writer import Writer

REVISIONS_KEPT = 10_000
"""How far back history goes by itself, for watches that resume; what operators see as history is kept apart."""
REVOKE_RETRY_S = 1.0

log = structlog.get_logger("hopmesh.store")

_T = TypeVar("_T")


class SqliteStore(Store):
    """The store in one folder. Made by `open`."""

    def __init__(self, folder: Folder, writable: sqlite3.Connection, readable: sqlite3.Connection, kept: int) -> None:
        """Takes all three, and closes them."""
        self._folder = folder
        self._writable = writable
        self._readable = readable
        self._recent = Recent(reading.meta(writable, "revision"))
        self._writer = Writer(writable, kept, self._recent.publish)
        self._reader = ThreadPoolExecutor(1, thread_name_prefix="store-reader")
        self._expiring: set[asyncio.Task[None]] = set()
        self._leases: LeaseTimes | None = None
        self._closed = False

    @classmethod
    async def open(cls, path: Path, revisions_kept: int = REVISIONS_KEPT) -> SqliteStore:
        """The store in the folder `path`, made if it is not there. Raises StoreOpenError, among others if another
        process has it."""
        folder, writable, readable = await asyncio.get_running_loop().run_in_executor(None, _open, path)
        store = cls(folder, writable, readable, revisions_kept)
        try:
            leases = await store._writer.do(lambda ledger: ledger.leases())
        except BaseException:
            await store.close()
            raise
        store._leases = LeaseTimes(leases, store._expired)
        return store

    async def revision(self) -> int:
        return await self._read(lambda connection: reading.meta(connection, "revision"))

    async def get(self, key: str, revision: int | None = None) -> Entry | None:
        check_key(key)
        return await self._read(lambda connection: reading.get(connection, key, revision))

    async def list(self, prefix: str, revision: int | None = None) -> Listing:
        check_key(prefix, is_prefix=True)
        return await self._read(lambda connection: reading.listing(connection, prefix, revision))

    async def history(self, prefix: str, first_revision: int) -> Page:
        check_key(prefix, is_prefix=True)
        return await self._read(lambda connection: reading.page(connection, prefix, first_revision))

    async def transact(self, operations: Sequence[Operation], compares: Sequence[Compare] = ()) -> Outcome:
        # Copies: the caller may change its lists before the thread looks.
        operations, compares = tuple(operations), tuple(compares)
        check_transaction(operations, compares)
        return await self._writer.do(lambda ledger: ledger.transact(operations, compares))

    def watch(self, prefix: str, first_revision: int | None = None) -> Watch:
        check_key(prefix, is_prefix=True)
        first = self._recent.revision + 1 if first_revision is None else first_revision
        return RecentWatch(self._recent, self.history, prefix, first)

    async def compact(self, revision: int) -> None:
        await self._writer.do(lambda ledger: ledger.compact(revision))
        self._recent.compact(revision)

    async def grant(self, ttl_ms: int) -> Lease:
        check_ttl(ttl_ms)
        lease = await self._writer.do(lambda ledger: ledger.grant(ttl_ms))
        self._lease_times.add(lease)
        return lease

    async def keep_alive(self, lease: int) -> None:
        self._lease_times.keep_alive(lease)

    async def revoke(self, lease: int) -> None:
        await self._writer.do(lambda ledger: ledger.revoke(lease))
        self._lease_times.remove(lease)

    async def close(self) -> None:
        if self._closed:
            return
        self._closed = True
        if self._leases is not None:
            self._leases.close()
        for task in self._expiring:
            task.cancel()
        await asyncio.gather(*self._expiring, return_exceptions=True)
        await self._writer.close()
        self._recent.close()
        await asyncio.get_running_loop().run_in_executor(None, self._close_files)

    @property
    def _lease_times(self) -> LeaseTimes:
        if self._leases is None or self._closed:
            raise StoreClosedError("the store is closed")
        return self._leases

    async def _read(self, query: Callable[[sqlite3.Connection], _T]) -> _T:
        """On the thread that reads, all of it as of one moment."""
        if self._closed:
            raise StoreClosedError("the store is closed")
        return await asyncio.get_running_loop().run_in_executor(self._reader, self._query, query)

    def _query(self, query: Callable[[sqlite3.Connection], _T]) -> _T:
        try:
            self._readable.execute("BEGIN")
            try:
                return query(self._readable)
            finally:
                self._readable.execute("COMMIT")
        except sqlite3.Error as error:
            raise StoreFailedError(f"the store cannot be read: {error}") from error

    def _expired(self, lease: int) -> None:
        task = asyncio.get_running_loop().create_task(self._revoke_expired(lease))
        self._expiring.add(task)
        task.add_done_callback(self._expiring.discard)

    async def _revoke_expired(self, lease: int) -> None:
        while True:
            try:
                await self._writer.do(lambda ledger: ledger.revoke(lease))
            except (LeaseNotFoundError, StoreClosedError):
                return
            except StoreError as error:
                log.warning("expired lease not revoked yet", lease=lease, reason=str(error))
                await asyncio.sleep(REVOKE_RETRY_S)
            else:
                return

    def _close_files(self) -> None:
        self._reader.shutdown(wait=True)
        self._readable.close()
        self._writable.close()
        self._folder.close()


def _open(path: Path) -> tuple[Folder, sqlite3.Connection, sqlite3.Connection]:
    folder = Folder(path)
    try:
        writable = open_writable(folder)
        try:
            return folder, writable, open_readable(folder)
        except BaseException:
            writable.close()
            raise
    except BaseException:
        folder.close()
        raise
