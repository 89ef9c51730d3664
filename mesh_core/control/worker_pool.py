"""The workers of one proxy and what runs them: a thread for each, or the turns of the control thread's loop."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from typing import Literal

from mesh_core.snapshot.snapshot import Snapshot
from mesh_core.telemetry.stats import StatsScope
from mesh_core.worker.worker import Worker

Mounting = Literal["threaded", "inline"]


class WorkerPool:
    """As many workers as were asked for, from `start` to `close`; none before and after. Control thread."""

    def __init__(self, count: int, mounting: Mounting, max_request_series: int) -> None:
        self.count = count
        self._max_request_series = max_request_series
        self._mounting = mounting
        self._workers: list[Worker] = []
        self._threads: list[threading.Thread] = []
        self._closed_records_dropped = 0

    def __iter__(self) -> Iterator[Worker]:
        return iter(self._workers)

    def start(self, loop: asyncio.AbstractEventLoop, notify_fd: int, server: StatsScope) -> None:
        """Make the workers, which tell their news through `notify_fd`, and run them. Raises OSError, MemoryError."""
        self._loop = loop
        for index in range(self.count):
            self._workers.append(Worker(index, notify_fd, server, series_limit=self._max_request_series))
        for index, worker in enumerate(self._workers):
            if self._mounting == "threaded":
                thread = threading.Thread(target=worker.run, name=f"worker-{index}", daemon=True)
                thread.start()
                self._threads.append(thread)
            else:
                loop.add_reader(worker.epoll_fd, self._turn, worker)

    @property
    def access_records_dropped(self) -> int:
        """Access records lost because the control thread was behind; still known after `close`."""
        return self._closed_records_dropped + sum(worker.access_records_dropped for worker in self._workers)

    def publish(self, snapshot: Snapshot) -> None:
        """Hand a snapshot to every worker; `adopted` tells when all work by it."""
        for worker in self._workers:
            worker.publish(snapshot)

    def adopted(self, snapshot: Snapshot) -> bool:
        """Whether every worker works by `snapshot`, or by a newer one."""
        return all(worker.adopted >= snapshot.version for worker in self._workers)

    async def stop(self) -> None:
        """End the workers' work; connections that are open are reset. What they have counted can still be read."""
        for worker in self._workers:
            worker.stop()
        for worker in self._workers if self._mounting == "inline" else ():
            while not worker.stopped:
                worker.turn()
            self._loop.remove_reader(worker.epoll_fd)
        for thread in self._threads:
            await asyncio.to_thread(thread.join)
        self._threads = []

    def close(self) -> None:
        """Give the workers back, once they have stopped."""
        self._closed_records_dropped = self.access_records_dropped
        for worker in self._workers:
            worker.close()
        self._workers = []

    def _turn(self, worker: Worker) -> None:
        if worker in self._workers and worker.turn():
            self._loop.call_soon(self._turn, worker)
