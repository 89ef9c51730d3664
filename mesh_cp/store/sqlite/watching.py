"""Watches: they read what has just happened from memory, and what is longer ago from the file. Loop's thread.

A watch keeps only how far it has come, so one that is slow costs nobody anything; it falls back on the file, and when
that has forgotten what it needs next, it is told.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from itertools import islice

from mesh_cp.store.errors import StoreClosedError
from mesh_cp.store.interface import Changes, Page, Watch

RECENT_REVISIONS = 4096
RECENT_BYTES = 16 << 20

History = Callable[[str, int], Awaitable[Page]]


class Recent:
    """The last changes, without a gap, and those who wait for the next one."""

    def __init__(self, revision: int) -> None:
        """`revision`: the store's, as it was opened."""
        self.revision = revision
        self.is_closed = False
        self._changes: deque[Changes] = deque()
        self._bytes = 0
        self._waiting: set[asyncio.Event] = set()

    def publish(self, changes: Sequence[Changes]) -> None:
        """Take what follows on what there is."""
        for each in changes:
            self._changes.append(each)
            self._bytes += _size(each)
            self.revision = each.revision
        while len(self._changes) > RECENT_REVISIONS or (self._bytes > RECENT_BYTES and len(self._changes) > 1):
            self._drop_first()
        if changes:
            self._wake()

    def compact(self, revision: int) -> None:
        """Forget what was before `revision`."""
        while self._changes and self._changes[0].revision < revision:
            self._drop_first()

    def since(self, revision: int, limit: int) -> list[Changes] | None:
        """Up to `limit` revisions from `revision` on; None where that is further back than this goes."""
        first = self.revision - len(self._changes) + 1
        if revision < first:
            return None
        return list(islice(self._changes, revision - first, revision - first + limit))

    async def wait(self, woken: asyncio.Event) -> None:
        """Until there is more, until this is closed, or until somebody sets `woken`."""
        self._waiting.add(woken)
        try:
            await woken.wait()
        finally:
            self._waiting.discard(woken)

    def close(self) -> None:
        """Nothing comes any more."""
        self.is_closed = True
        self._wake()

    def _drop_first(self) -> None:
        self._bytes -= _size(self._changes.popleft())

    def _wake(self) -> None:
        for event in self._waiting:
            event.set()


def _size(changes: Changes) -> int:
    return sum(len(event.key) + (0 if event.entry is None else len(event.entry.value)) for event in changes.events)


class RecentWatch(Watch):
    """One watch."""

    PAGE = 100

    def __init__(self, recent: Recent, history: History, prefix: str, first_revision: int) -> None:
        self._recent = recent
        self._history = history
        self._prefix = prefix
        self._next = first_revision
        self._found: deque[Changes] = deque()
        self._woken = asyncio.Event()
        self._ended = False

    async def __anext__(self) -> Changes:
        while not self._found:
            if self._ended:
                raise StopAsyncIteration
            if self._recent.is_closed:
                raise StoreClosedError("the store is closed")
            self._woken.clear()
            changes = self._recent.since(self._next, self.PAGE)
            if changes is None:
                page = await self._history(self._prefix, self._next)
                self._found.extend(page.changes)
                self._next = page.next_revision
            elif changes:
                self._found.extend(kept for each in changes if (kept := self._kept(each)).events)
                self._next = changes[-1].revision + 1
            else:
                await self._recent.wait(self._woken)
        return self._found.popleft()

    def close(self) -> None:
        self._ended = True
        self._found.clear()
        self._woken.set()

    def _kept(self, changes: Changes) -> Changes:
        events = tuple(event for event in changes.events if event.key.startswith(self._prefix))
        return changes if len(events) == len(changes.events) else Changes(changes.revision, events)
