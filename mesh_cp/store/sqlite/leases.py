"""When leases expire. Times are in memory only: a store that is opened gives every lease its whole time again, since
nobody could have kept it alive meanwhile. Loop's thread."""

from __future__ import annotations

import asyncio
import heapq
from collections.abc import Callable, Iterable

from mesh_cp.store.errors import LeaseNotFoundError
from mesh_cp.store.interface import Lease


class LeaseTimes:
    """The deadline of each lease, and one timer for the next."""

    def __init__(self, leases: Iterable[Lease], on_expired: Callable[[int], None]) -> None:
        """`on_expired`: called with each lease whose time is over; that lease cannot be kept alive any more."""
        self._loop = asyncio.get_running_loop()
        self._on_expired = on_expired
        self._ttl_s: dict[int, float] = {}
        self._deadlines: dict[int, float] = {}
        # A lease that was kept alive stands in it too early, and is put back when its turn comes.
        self._heap: list[tuple[float, int]] = []
        self._timer: asyncio.TimerHandle | None = None
        for lease in leases:
            self.add(lease)

    def add(self, lease: Lease) -> None:
        """Begin the time of a lease."""
        self._ttl_s[lease.id] = lease.ttl_ms / 1000
        deadline = self._deadlines[lease.id] = self._loop.time() + lease.ttl_ms / 1000
        heapq.heappush(self._heap, (deadline, lease.id))
        self._schedule()

    def keep_alive(self, lease: int) -> None:
        """Begin its time anew. Raises LeaseNotFoundError."""
        if lease not in self._deadlines:
            raise LeaseNotFoundError(lease)
        self._deadlines[lease] = self._loop.time() + self._ttl_s[lease]

    def remove(self, lease: int) -> None:
        """It has ended."""
        self._deadlines.pop(lease, None)
        self._ttl_s.pop(lease, None)

    def close(self) -> None:
        """No lease expires any more."""
        if self._timer is not None:
            self._timer.cancel()

    def expire(self, now_s: float) -> None:
        """Report each whose deadline has come."""
        while self._heap and self._heap[0][0] <= now_s:
            _, lease = heapq.heappop(self._heap)
            deadline = self._deadlines.get(lease)
            if deadline is None:
                continue
            if deadline > now_s:
                heapq.heappush(self._heap, (deadline, lease))
                continue
            self.remove(lease)
            self._on_expired(lease)

    def _schedule(self) -> None:
        if self._timer is not None and (not self._heap or self._timer.when() <= self._heap[0][0]):
            return
        if self._timer is not None:
            self._timer.cancel()
        self._timer = self._loop.call_at(self._heap[0][0], self._tick) if self._heap else None

    def _tick(self) -> None:
        self._timer = None
        self.expire(self._loop.time())
        self._schedule()
