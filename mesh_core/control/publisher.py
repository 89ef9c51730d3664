"""How a snapshot reaches the workers, and which of them somebody still holds. Control thread."""

from __future__ import annotations

import structlog

from mesh_core.config import Config
from mesh_core.control.endpoints import Endpoints
from mesh_core.control.upstream_health.upstream_health import UpstreamHealth
from mesh_core.control.worker_news import WorkerNews
from mesh_core.control.worker_pool import WorkerPool
from mesh_core.snapshot.snapshot import Snapshot

log = structlog.get_logger("hopmesh")


class Publisher:
    """The snapshots of one proxy, from the oldest that a connection still goes by to the newest."""

    def __init__(self, workers: WorkerPool, news: WorkerNews, health: UpstreamHealth) -> None:
        self.snapshots: list[Snapshot] = []
        self._workers = workers
        self._news = news
        self._health = health
        self._unserved = 0

    @property
    def version(self) -> int:
        """Number of the newest snapshot; 0 without any."""
        return self.snapshots[-1].version if self.snapshots else 0

    async def publish(self, snapshot: Snapshot, config: Config, endpoints: Endpoints) -> None:
        """Hand a snapshot, made of these two, to every worker and wait until each works by it."""
        self.snapshots.append(snapshot)
        await self._health.prepare(config, endpoints)
        self._workers.publish(snapshot)
        await self._news.until(lambda: self._workers.adopted(snapshot))
        self._health.published()
        unserved = sum(worker.unserved_listeners for worker in self._workers)
        if unserved > self._unserved:
            self._unserved = unserved
            log.error("a worker does not serve a listener", reason="no memory")

    def drop_released(self) -> None:
        """Let go of the snapshots that no worker has any more."""
        self.snapshots = [each for each in self.snapshots if not each.released]

    def close(self) -> None:
        """Let go of all of them, once the workers are closed."""
        self.snapshots = []
