"""A store in memory, as plain as can be: the second implementation that the conformance tests hold the first to."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from itertools import count

from mesh_cp.store import (
    Changes,
    CompactedError,
    Compare,
    Delete,
    Entry,
    Event,
    FutureRevisionError,
    Lease,
    LeaseNotFoundError,
    Listing,
    Operation,
    Outcome,
    Page,
    Store,
    StoreClosedError,
    Watch,
)
from mesh_cp.store.interface import check_key, check_transaction, check_ttl, holds


class MemoryStore(Store):
    """Keeps the whole state at every revision."""

    def __init__(self) -> None:
        self._states: dict[int, dict[str, Entry]] = {1: {}}
        self._changes: list[Changes] = []
        self._current = 1
        self._compacted = 0
        self._leases: dict[int, tuple[Lease, asyncio.TimerHandle]] = {}
        self._ids = count(1)
        self._closed = False
        self._changed = asyncio.Condition()

    async def revision(self) -> int:
        self._check_open()
        return self._current

    async def get(self, key: str, revision: int | None = None) -> Entry | None:
        check_key(key)
        return self._state(revision).get(key)

    async def list(self, prefix: str, revision: int | None = None) -> Listing:
        check_key(prefix, is_prefix=True)
        state = self._state(revision)
        entries = tuple(state[key] for key in sorted(state) if key.startswith(prefix))
        return Listing(self._current if revision is None else revision, entries)

    async def history(self, prefix: str, first_revision: int) -> Page:
        self._check_open()
        if first_revision < self._compacted:
            raise CompactedError(first_revision, self._compacted)
        found = []
        for each in self._changes:
            events = tuple(event for event in each.events if event.key.startswith(prefix))
            if each.revision >= first_revision and events:
                found.append(Changes(each.revision, events))
        return Page(tuple(found), max(self._current + 1, first_revision))

    async def transact(self, operations: Sequence[Operation], compares: Sequence[Compare] = ()) -> Outcome:
        self._check_open()
        check_transaction(operations, compares)
        before = self._states[self._current]
        if not all(holds(compare, before.get(compare.key)) for compare in compares):
            return Outcome(False, self._current)
        for operation in operations:
            if not isinstance(operation, Delete) and operation.lease and operation.lease not in self._leases:
                raise LeaseNotFoundError(operation.lease)
        self._change(operations)
        async with self._changed:
            self._changed.notify_all()
        return Outcome(True, self._current)

    def _change(self, operations: Sequence[Operation]) -> None:
        after, events, revision = dict(self._states[self._current]), [], self._current + 1
        for each in operations:
            if isinstance(each, Delete):
                for key in sorted(after):
                    if key == each.key or (each.is_prefix and key.startswith(each.key)):
                        del after[key]
                        events.append(Event(key, None))
                continue
            old = after.get(each.key)
            created, version = (old.create_revision, old.version) if old else (revision, 0)
            after[each.key] = Entry(each.key, each.value, created, revision, version + 1, each.lease)
            events.append(Event(each.key, after[each.key]))
        if events:
            self._current = revision
            self._states[revision] = after
            self._changes.append(Changes(revision, tuple(events)))

    def watch(self, prefix: str, first_revision: int | None = None) -> Watch:
        return _MemoryWatch(self, prefix, self._current + 1 if first_revision is None else first_revision)

    async def compact(self, revision: int) -> None:
        self._state(revision)
        self._compacted = revision

    async def grant(self, ttl_ms: int) -> Lease:
        check_ttl(ttl_ms)
        lease = Lease(next(self._ids), ttl_ms)
        self._leases[lease.id] = (lease, self._timer(lease))
        return lease

    async def keep_alive(self, lease: int) -> None:
        granted, timer = self._granted(lease)
        timer.cancel()
        self._leases[lease] = (granted, self._timer(granted))

    async def revoke(self, lease: int) -> None:
        self._granted(lease)[1].cancel()
        del self._leases[lease]
        tied = [entry.key for entry in self._states[self._current].values() if entry.lease == lease]
        await self.transact([Delete(key) for key in sorted(tied)])

    async def close(self) -> None:
        self._closed = True
        for _, timer in self._leases.values():
            timer.cancel()
        async with self._changed:
            self._changed.notify_all()

    def _timer(self, lease: Lease) -> asyncio.TimerHandle:
        return asyncio.get_running_loop().call_later(lease.ttl_ms / 1000, self._begin_expiry, lease)

    def _begin_expiry(self, lease: Lease) -> None:
        self._task = asyncio.get_running_loop().create_task(self._expire(lease))

    async def _expire(self, lease: Lease) -> None:
        if lease.id in self._leases:
            await self.revoke(lease.id)

    def _granted(self, lease: int) -> tuple[Lease, asyncio.TimerHandle]:
        if lease not in self._leases:
            raise LeaseNotFoundError(lease)
        return self._leases[lease]

    def _state(self, revision: int | None) -> dict[str, Entry]:
        self._check_open()
        if revision is None:
            return self._states[self._current]
        if revision < self._compacted:
            raise CompactedError(revision, self._compacted)
        if revision > self._current:
            raise FutureRevisionError(revision, self._current)
        return self._states.get(revision, {})

    def _check_open(self) -> None:
        if self._closed:
            raise StoreClosedError("closed")


class _MemoryWatch(Watch):
    def __init__(self, store: MemoryStore, prefix: str, first_revision: int) -> None:
        self._store, self._prefix, self._next = store, prefix, first_revision
        self._found: list[Changes] = []
        self._ended = False

    async def __anext__(self) -> Changes:
        while not self._found:
            if self._ended:
                raise StopAsyncIteration
            page = await self._store.history(self._prefix, self._next)
            self._found, self._next = list(page.changes), page.next_revision
            if not self._found:
                async with self._store._changed:
                    await self._store._changed.wait_for(
                        lambda: self._ended or self._store._closed or self._store._current >= self._next
                    )
        return self._found.pop(0)

    def close(self) -> None:
        self._ended = True
        self._found.clear()
        self._task = asyncio.get_running_loop().create_task(self._notify())

    async def _notify(self) -> None:
        async with self._store._changed:
            self._store._changed.notify_all()
