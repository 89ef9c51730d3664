"""The thread that writes. What waits is done together, with one commit and so one sync of the disk, and then answered.

What the disk refuses is rolled back and answered with StoreFailedError; the store goes on, and the next change is
tried like the first. Once a commit has failed and could not be rolled back, nothing is written any more.
"""

from __future__ import annotations

import asyncio
import queue
import sqlite3
import threading
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import structlog

from mesh_cp.store.errors import StoreBusyError, StoreClosedError, StoreError, StoreFailedError
from mesh_cp.store.interface import Changes
from mesh_cp.store.sqlite.changing import Ledger

WAITING_LIMIT = 10_000
GROUP_LIMIT = 256
"""As many changes as one commit takes."""

log = structlog.get_logger("hopmesh.store")

_T = TypeVar("_T")


class _Job:
    """A change that waits, is done, or has failed."""

    __slots__ = ("error", "future", "result", "work")

    def __init__(self, work: Callable[[Ledger], Any], future: asyncio.Future[Any]) -> None:
        self.work = work
        self.future = future
        self.result: Any = None
        self.error: StoreError | None = None

    def answer(self) -> None:
        """On the loop's thread, once its outcome is durable."""
        if self.future.done():
            return
        if self.error is not None:
            self.future.set_exception(self.error)
        else:
            self.future.set_result(self.result)


class Writer:
    """Takes changes on the loop's thread and does them on its own, in their order."""

    def __init__(
        self,
        connection: sqlite3.Connection,
        revisions_kept: int,
        publish: Callable[[Sequence[Changes]], None],
    ) -> None:
        """`publish`: called on the loop's thread with what a commit has changed, before anybody is answered."""
        self._connection = connection
        self._ledger = Ledger(connection)
        self._revisions_kept = revisions_kept
        self._publish = publish
        self._loop = asyncio.get_running_loop()
        self._queue: queue.SimpleQueue[_Job | None] = queue.SimpleQueue()
        self._waiting = 0
        self._failed = False
        self._closing = False
        self._thread = threading.Thread(target=self._run, name="store-writer")
        self._thread.start()

    async def do(self, work: Callable[[Ledger], _T]) -> _T:
        """Have the thread do it, and wait until it is durable. Raises StoreError, also what `work` raises of it."""
        if self._closing:
            raise StoreClosedError("the store is closed")
        if self._waiting >= WAITING_LIMIT:
            raise StoreBusyError(f"{WAITING_LIMIT} changes wait already")
        job = _Job(work, self._loop.create_future())
        self._waiting += 1
        self._queue.put(job)
        result: _T = await job.future
        return result

    async def close(self) -> None:
        """Do what waits, and end the thread."""
        if not self._closing:
            self._closing = True
            self._queue.put(None)
        # Its last answers come through the loop, so the loop must not wait for it.
        await self._loop.run_in_executor(None, self._thread.join)

    # --- on its own thread ---

    def _run(self) -> None:
        open_ended = True
        while open_ended:
            jobs, open_ended = self._next_jobs()
            if jobs:
                changes = self._do_all(jobs)
                self._loop.call_soon_threadsafe(self._answer, jobs, changes)

    def _next_jobs(self) -> tuple[list[_Job], bool]:
        """Those that wait, at least one; and whether more may come."""
        jobs: list[_Job] = []
        first = self._queue.get()
        while first is not None:
            jobs.append(first)
            if len(jobs) == GROUP_LIMIT:
                return jobs, True
            try:
                first = self._queue.get_nowait()
            except queue.Empty:
                return jobs, True
        return jobs, False

    def _do_all(self, jobs: list[_Job]) -> list[Changes]:
        try:
            if self._failed:
                raise StoreFailedError("nothing can be written since a commit could not be rolled back")
            self._connection.execute("BEGIN IMMEDIATE")
            for job in jobs:
                try:
                    job.result = job.work(self._ledger)
                except StoreError as error:
                    job.error = error
            self._ledger.before_commit(self._revisions_kept)
            self._connection.execute("COMMIT")
        except Exception as error:
            self._fail(jobs, error)
            return []
        return self._ledger.take_changes()

    def _fail(self, jobs: list[_Job], error: Exception) -> None:
        if not isinstance(error, StoreError):
            is_fault = not isinstance(error, sqlite3.Error)
            log.error("store failed", reason=str(error), changes=len(jobs), exc_info=is_fault)
        for job in jobs:
            job.error = StoreFailedError(f"the change could not be written: {error}")
        if self._failed:
            return
        try:
            if self._connection.in_transaction:
                self._connection.execute("ROLLBACK")
            self._ledger.forget()
        except sqlite3.Error as second:
            self._failed = True
            log.error("store is read-only from now on", reason=str(second))

    # --- on the loop's thread again ---

    def _answer(self, jobs: list[_Job], changes: list[Changes]) -> None:
        self._waiting -= len(jobs)
        self._publish(changes)
        for job in jobs:
            job.answer()
