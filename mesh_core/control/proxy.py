"""One proxy: its workers, and what they serve by. Everything here runs on the control thread, on its loop.

No byte of traffic passes through this module, and nothing here is ever waited for by a worker.
"""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Collection

from mesh_core.config import Config
from mesh_core.control.access_records import AccessRecords
from mesh_core.control.changes import Changes, Ready, State
from mesh_core.control.compiler import Compiler
from mesh_core.control.listener_sockets import ListenerSocket
from mesh_core.control.publisher import Publisher
from mesh_core.control.record_share import RecordShare
from mesh_core.control.tls.contexts import TlsContexts
from mesh_core.control.upstream_health.members import Members
from mesh_core.control.upstream_health.upstream_health import UpstreamHealth
from mesh_core.control.worker_news import WorkerNews
from mesh_core.control.worker_pool import Mounting, WorkerPool
from mesh_core.telemetry.request_metrics import Series
from mesh_core.telemetry.stats import StatsRegistry


class Proxy:
    """A running proxy.

    `mounting`: "threaded" gives every worker a thread that never takes the GIL; "inline" runs them within turns of
    the loop that `start` is called in, for programs that embed a proxy. The same code serves both.
    """

    def __init__(self, config: Config, *, mounting: Mounting = "threaded", name: str = "<config>") -> None:
        """`name`: what faults call the configuration. Nothing is opened before `start`."""
        self.started_at = time.time()
        # A loop has one thread: inline, a second worker would find nothing to do.
        self.worker_count = config.workers or (1 if mounting == "inline" else len(os.sched_getaffinity(0)))
        self.registry = StatsRegistry(self.worker_count)
        self._server_scope = self.registry.scope("server")
        self._compiler = Compiler(self.worker_count, self.registry)
        self._workers = WorkerPool(self.worker_count, mounting, config.metrics.max_request_series)
        self._news = WorkerNews(self._on_news)
        self._health = UpstreamHealth(self._compiler, self.registry, self._workers)
        self._access_records = AccessRecords(self._workers)
        self._publisher = Publisher(self._workers, self._news, self._health)
        self._changes = Changes(
            config,
            name,
            registry=self.registry,
            compiler=self._compiler,
            publisher=self._publisher,
            access_records=self._access_records,
        )

    # --- life ---

    def take_over(self, passed: Collection[ListenerSocket]) -> None:
        """Before `start`: listen on sockets that another process has, where the configuration wants them."""
        self._changes.sockets.take_over(passed)

    async def start(self, ready: Ready | None = None) -> None:
        """Bind, start the workers, serve. Raises ConfigError, and then nothing is left open.

        `ready` is awaited when all that can fail is done and before anything is accepted, on sockets taken over or
        new; what it raises ends the start.
        """
        loop = asyncio.get_running_loop()
        self._news.open(loop)
        try:
            self._workers.start(loop, self._news.fd, self._server_scope)
            await self._changes.begin(ready)
        except BaseException:
            await self.close()
            raise

    async def apply(self, config: Config, name: str = "<config>") -> None:
        """Serve by `config` from now on; open connections go on as they began.

        Raises ConfigError when it cannot be taken as a whole; then nothing has changed.
        """
        await self._changes.apply(config, name)

    async def drain_listeners(self, taken_over: Collection[int] = ()) -> None:
        """Stop accepting, for good; open connections go on.

        `taken_over`: ids of sockets that another process accepts from already; they are left to it as they are.
        """
        await self._changes.drain_listeners(frozenset(taken_over))

    def share_sockets(self, shared: bool) -> None:
        """While another process may be about to take the sockets over nothing may shut them down."""
        self._changes.shares_sockets = shared

    def own_sockets(self) -> list[int]:
        """The other process leaves the sockets that were taken over; returns their ids there."""
        return self._changes.sockets.own()

    def keep_sockets(self) -> None:
        """Another process that was to take over has failed: undo what it may have set."""
        self._changes.sockets.adjust(self.config, self._changes.sockets_by_listener)

    async def drain(self, timeout_ms: int | None = None) -> int:
        """Stop accepting and wait until every connection has ended, at most `timeout_ms` (default: as configured).

        Connections that are left then are reset. Returns how many those were.
        """
        await self.drain_listeners()
        limit_ms = self.config.drain_timeout_ms if timeout_ms is None else timeout_ms
        try:
            async with asyncio.timeout(limit_ms / 1000):
                await self._news.until(lambda: self.active_connections == 0)
        except TimeoutError:
            pass
        left = self.active_connections
        for worker in self._workers:
            worker.abort_connections()
        await self._news.until(lambda: self.active_connections == 0)
        return left

    async def close(self) -> None:
        """Reset what is left and give everything back. May be called at any time, also twice."""
        self._changes.stop()
        await self._workers.stop()
        # Changes on their way wait for workers that are no more, for DNS, or for health checks.
        self._news.end()
        self.hurry()
        await self._changes.ended()
        await self._health.close()
        await self._access_records.close()
        self._workers.close()
        self._publisher.close()
        self._changes.sockets.close()
        self._news.close()

    def hurry(self) -> None:
        """Wait for DNS and first health checks no longer than now: `start` goes on with what is known."""
        self._changes.hurry()
        self._health.hurry()

    def reopen_access_log(self) -> None:
        """Go on in a new file, after a rotation. Raises OSError."""
        self._access_records.reopen()

    def _on_news(self) -> None:
        self._publisher.drop_released()
        self._access_records.collect_soon()
        self._health.on_news()

    # --- what can be asked ---

    @property
    def state(self) -> State:
        """Where it is in its life."""
        return self._changes.state

    @property
    def config(self) -> Config:
        """The configuration in force; before `start` that which was given."""
        return self._changes.config

    @property
    def active_connections(self) -> int:
        """Downstream connections open now."""
        return self._compiler.active_connections

    @property
    def listener_addresses(self) -> dict[str, str]:
        """Where each listener really listens, by name: port 0 resolved."""
        return {name: str(each.bound) for name, each in self._changes.sockets_by_listener.items()}

    @property
    def listener_sockets(self) -> list[ListenerSocket]:
        """What it listens on."""
        return list(self._changes.sockets_by_listener.values())

    @property
    def tls(self) -> TlsContexts:
        """The TLS contexts in use."""
        return self._changes.tls

    @property
    def members(self) -> dict[str, Members]:
        """Each cluster and its endpoints, by name, and what is known of them."""
        return self._health.members

    @property
    def request_series(self) -> list[list[Series]]:
        """For each worker, the series of request metrics that it has counted."""
        return [worker.request_series() for worker in self._workers]

    @property
    def record_share(self) -> RecordShare | None:
        """The access records that a control plane is told of; None: none are."""
        return self._access_records.share

    @property
    def access_records_dropped(self) -> int:
        """Access records lost because the control thread was behind."""
        return self._workers.access_records_dropped

    @property
    def access_bytes_dropped(self) -> int:
        """Bytes of the access log that its file did not take."""
        return self._access_records.bytes_dropped

    @property
    def snapshot_version(self) -> int:
        """Number of the newest snapshot."""
        return self._publisher.version
