"""One proxy: its workers, its sockets, its snapshots. Everything here runs on the control thread, on its loop.

No byte of traffic passes through this module, and nothing here is ever waited for by a worker.
"""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Awaitable, Callable, Collection, Coroutine
from typing import Any, Literal

import structlog

from mesh_core.config import Config, ConfigError, Fault
from mesh_core.control.access_records import AccessRecords
from mesh_core.control.compiler import Compiler
from mesh_core.control.dns.discovery import Discovery, Resolutions
from mesh_core.control.endpoints import Endpoints
from mesh_core.control.listener_sockets import ListenerSocket, ListenerSockets
from mesh_core.control.overload import OverloadMonitor
from mesh_core.control.record_share import RecordShare
from mesh_core.control.tls.contexts import Prepared, TlsContexts
from mesh_core.control.tls.watch import TlsWatch
from mesh_core.control.upstream_health.members import Members
from mesh_core.control.upstream_health.upstream_health import UpstreamHealth
from mesh_core.control.worker_pool import Mounting, WorkerPool
from mesh_core.snapshot.snapshot import Snapshot
from mesh_core.telemetry.request_metrics import Series
from mesh_core.telemetry.stats import StatsRegistry, StatsScope

State = Literal["new", "live", "draining", "closed"]

# Endpoints that change within this time make one snapshot.
PUBLISH_DELAY_S = 0.05

log = structlog.get_logger("hopmesh")


class Proxy:
    """A running proxy.

    `mounting`: "threaded" gives every worker a thread that never takes the GIL; "inline" runs them within turns of
    the loop that `start` is called in, for programs that embed a proxy. The same code serves both.
    """

    def __init__(self, config: Config, *, mounting: Mounting = "threaded", name: str = "<config>") -> None:
        """`name`: what faults call the configuration. Nothing is opened before `start`."""
        self.config = config
        self.state: State = "new"
        self.shares_sockets = False
        """Set while another process may be about to take the sockets over: then nothing may shut them down."""
        self.started_at = time.time()
        # A loop has one thread: inline, a second worker would find nothing to do.
        self.worker_count = config.workers or (1 if mounting == "inline" else len(os.sched_getaffinity(0)))
        self.registry = StatsRegistry(self.worker_count)
        self._name = name
        self._server_scope: StatsScope = self.registry.scope("server")
        self._compiler = Compiler(self.worker_count, self.registry)
        self.tls = TlsContexts()
        self._tls_watch = TlsWatch(self._on_tls_files_changed)
        self._discovery = Discovery(self.registry, self._on_endpoints_changed)
        self._sockets = ListenerSockets(self.worker_count)
        self._sockets_by_listener: dict[str, ListenerSocket] = {}
        self._workers = WorkerPool(self.worker_count, mounting, config.metrics.max_request_series)
        self._access_records = AccessRecords(self._workers)
        self._health = UpstreamHealth(self._compiler, self.registry, self._workers)
        self._overload = OverloadMonitor(self._compiler.overload, self.registry)
        self._snapshots: list[Snapshot] = []
        self._unserved = 0
        self._endpoints_changed = False
        self._applying = asyncio.Lock()
        self._changing = asyncio.Lock()
        self._changes: set[asyncio.Task[None]] = set()
        self._news = asyncio.Event()
        self._stopped = False
        self._notify_fd = -1

    # --- life ---

    def take_over(self, passed: Collection[ListenerSocket]) -> None:
        """Before `start`: listen on sockets that another process has, where the configuration wants them."""
        self._sockets.take_over(passed)

    async def start(self, ready: Callable[[], Awaitable[None]] | None = None) -> None:
        """Bind, start the workers, serve. Raises ConfigError, and then nothing is left open.

        `ready` is awaited when all that can fail is done and before anything is accepted, on sockets taken over or
        new; what it raises ends the start.
        """
        self._loop = asyncio.get_running_loop()
        self._notify_fd = os.eventfd(0, os.EFD_CLOEXEC | os.EFD_NONBLOCK)
        self._loop.add_reader(self._notify_fd, self._on_notify)
        try:
            self._workers.start(self._loop, self._notify_fd, self._server_scope)
            await self._whole(self._apply("new", self.config, self._name, ready))
        except BaseException:
            await self.close()
            raise
        # It may have been closed between the end of the change and this turn.
        self._refuse_unless("new", self._name)
        self.state = "live"

    async def apply(self, config: Config, name: str = "<config>") -> None:
        """Serve by `config` from now on; open connections go on as they began.

        Raises ConfigError when it cannot be taken as a whole; then nothing has changed.
        """
        await self._whole(self._apply("live", config, name))

    async def drain_listeners(self, taken_over: Collection[int] = ()) -> None:
        """Stop accepting, for good; open connections go on.

        `taken_over`: ids of sockets that another process accepts from already; they are left to it as they are.
        """
        await self._whole(self._drain_listeners(frozenset(taken_over)))

    def own_sockets(self) -> list[int]:
        """The other process leaves the sockets that were taken over; returns their ids there."""
        return self._sockets.own()

    def keep_sockets(self) -> None:
        """Another process that was to take over has failed: undo what it may have set."""
        self._sockets.adjust(self.config, self._sockets_by_listener)

    async def drain(self, timeout_ms: int | None = None) -> int:
        """Stop accepting and wait until every connection has ended, at most `timeout_ms` (default: as configured).

        Connections that are left then are reset. Returns how many those were.
        """
        await self.drain_listeners()
        limit_ms = self.config.drain_timeout_ms if timeout_ms is None else timeout_ms
        try:
            async with asyncio.timeout(limit_ms / 1000):
                await self._until(lambda: self.active_connections == 0)
        except TimeoutError:
            pass
        left = self.active_connections
        for worker in self._workers:
            worker.abort_connections()
        await self._until(lambda: self.active_connections == 0)
        return left

    async def close(self) -> None:
        """Reset what is left and give everything back. May be called at any time, also twice."""
        self.state = "closed"
        self._tls_watch.close()
        self._overload.close()
        await self._workers.stop()
        # Changes on their way wait for workers that are no more, for DNS, or for health checks.
        self._stopped = True
        self._news.set()
        self.hurry()
        await asyncio.gather(*self._changes, return_exceptions=True)
        await self._health.close()
        await self._discovery.close()
        await self._access_records.close()
        self._workers.close()
        self._snapshots = []
        self._sockets.close()
        if self._notify_fd >= 0:
            self._loop.remove_reader(self._notify_fd)
            os.close(self._notify_fd)
            self._notify_fd = -1

    # --- what can be asked ---

    @property
    def active_connections(self) -> int:
        """Downstream connections open now."""
        return self._compiler.active_connections

    @property
    def listener_addresses(self) -> dict[str, str]:
        """Where each listener really listens, by name: port 0 resolved."""
        return {name: str(each.bound) for name, each in self._sockets_by_listener.items()}

    @property
    def listener_sockets(self) -> list[ListenerSocket]:
        """What it listens on."""
        return list(self._sockets_by_listener.values())

    @property
    def endpoints(self) -> Endpoints:
        """The endpoints of each cluster, by name, as they are known now."""
        return self._discovery.endpoints(self.config)

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
        return self._snapshots[-1].version if self._snapshots else 0

    def hurry(self) -> None:
        """Wait for DNS and first health checks no longer than now: `start` goes on with what is known."""
        self._discovery.hurry()
        self._health.hurry()

    @property
    def members(self) -> dict[str, Members]:
        """Each cluster and its endpoints, by name, and what is known of them."""
        return self._health.members

    def reopen_access_log(self) -> None:
        """Go on in a new file, after a rotation. Raises OSError."""
        self._access_records.reopen()

    # --- changing the configuration ---

    async def _whole(self, change: Coroutine[Any, Any, None]) -> None:
        """Make a change as a whole, even if who asked for it is cancelled: a socket must not be closed by half.

        While a worker may still accept from a socket its number must stay taken, or it would accept from a stranger's.
        """
        task = self._begin(change)
        try:
            await asyncio.shield(task)
        except asyncio.CancelledError:
            task.add_done_callback(_take_result)
            raise

    def _begin(self, change: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        task = self._loop.create_task(change)
        self._changes.add(task)
        task.add_done_callback(self._changes.discard)
        return task

    def _refuse_unless(self, state: State, name: str) -> None:
        if self.state != state:
            raise ConfigError(name, (Fault("", None, None, f"the proxy is {self.state}"),))

    async def _apply(
        self, state: State, config: Config, name: str, ready: Callable[[], Awaitable[None]] | None = None
    ) -> None:
        """Serve by `config`, if the proxy is in that state, and still is when DNS has been asked."""
        async with self._applying:
            self._refuse_unless(state, name)
            self._refuse_fixed_changes(config, name)
            resolutions = await self._discovery.prepare(config)
            try:
                async with self._changing:
                    self._refuse_unless(state, name)
                    await self._change(config, resolutions, name, ready)
            except BaseException:
                self._discovery.discard(resolutions)
                raise
            if self.state == "closed":
                self._refuse_unless(state, name)

    async def _drain_listeners(self, taken_over: frozenset[int]) -> None:
        async with self._changing:
            if self.state != "live":
                return
            self.state = "draining"
            dropped = self._sockets.give_up()
            self._sockets_by_listener = {}
            shared = [each.id for each in dropped if self.shares_sockets or each.id in taken_over]
            await self._publish(self._compile(self.config, {}, self.endpoints, self.tls.current, shared))
            for each in dropped:
                each.leave() if each.id in taken_over else each.close()

    def _refuse_fixed_changes(self, config: Config, name: str) -> None:
        if config.workers is not None and config.workers != self.worker_count:
            message = f"the number of workers is fixed while the proxy runs ({self.worker_count})"
            raise ConfigError(name, (Fault("workers", None, None, message, "restart the proxy to change it"),))
        if config.metrics != self.config.metrics:
            message = f"the bound is fixed while the proxy runs ({self.config.metrics.max_request_series})"
            hint = "restart the proxy to change it"
            raise ConfigError(name, (Fault("metrics.max_request_series", None, None, message, hint),))

    def _on_tls_files_changed(self) -> None:
        self._begin(self._refresh_tls())

    async def _refresh_tls(self) -> None:
        """The same configuration, with what stands in its certificates' files now."""
        async with self._changing:
            if self.state != "live":
                return
            try:
                tls = self.tls.prepare(self.config, self._name)
                snapshot = self._compile(self.config, self._sockets_by_listener, self.endpoints, tls)
            except ConfigError as error:
                faults = [fault.render(error.name) for fault in error.faults]
                log.error("changed certificates refused", faults=faults)
                return
            self._keep_tls(tls)
            await self._publish(snapshot)
            log.info("certificates reloaded", snapshot=self.snapshot_version)

    def _keep_tls(self, tls: Prepared) -> None:
        self.tls.keep(tls)
        self._tls_watch.watch(tls, self._loop)

    def _on_endpoints_changed(self) -> None:
        if not self._endpoints_changed and self.state != "closed":
            self._endpoints_changed = True
            self._begin(self._republish())

    async def _republish(self) -> None:
        """The same configuration, with the endpoints that there are now."""
        await asyncio.sleep(PUBLISH_DELAY_S)
        async with self._changing:
            # What changes from here on needs another turn.
            self._endpoints_changed = False
            if self.state in ("draining", "closed"):
                return
            try:
                snapshot = self._compile(self.config, self._sockets_by_listener, self.endpoints, self.tls.current)
            except MemoryError:
                log.error("changed endpoints wait", reason="no memory")
                self._on_endpoints_changed()
            else:
                await self._publish(snapshot)

    def _compile(
        self,
        config: Config,
        sockets: dict[str, ListenerSocket],
        endpoints: Endpoints,
        tls: Prepared,
        shared_sockets: Collection[int] = (),
    ) -> Snapshot:
        return self._compiler.compile(
            config, sockets, endpoints, tls.listeners, tls.clusters, shared_sockets=shared_sockets
        )

    async def _change(
        self, config: Config, resolutions: Resolutions, name: str, ready: Callable[[], Awaitable[None]] | None
    ) -> None:
        tls = self.tls.prepare(config, name)
        chosen, opened = self._sockets.prepare(config, name)
        access_log = None
        try:
            access_log = self._access_records.prepare(config, name)
            endpoints = self._discovery.endpoints(config, resolutions)
            snapshot = self._compile(config, chosen, endpoints, tls)
            if ready is not None:
                await ready()
        except BaseException:
            self._access_records.discard(access_log)
            for each in opened:
                each.close()
            raise
        dropped = self._sockets.keep(config, chosen)
        self._keep_tls(tls)
        self._discovery.keep(resolutions)
        if self._discovery.endpoints(config) != endpoints:
            self._on_endpoints_changed()
        replaced = self._access_records.keep(access_log, config)
        self.config, self._sockets_by_listener = config, chosen
        self._overload.follow(config.overload, self._loop)
        await self._publish(snapshot)
        for each in dropped:
            each.close()
        await self._access_records.retire(replaced)

    async def _publish(self, snapshot: Snapshot) -> None:
        """Hand a snapshot to every worker and wait until each works by it."""
        self._snapshots.append(snapshot)
        await self._health.prepare(self.config, self.endpoints)
        self._workers.publish(snapshot)
        await self._until(lambda: self._workers.adopted(snapshot))
        self._health.published()
        unserved = sum(worker.unserved_listeners for worker in self._workers)
        if unserved > self._unserved:
            self._unserved = unserved
            log.error("a worker does not serve a listener", reason="no memory")

    # --- news from the workers ---

    def _on_notify(self) -> None:
        os.eventfd_read(self._notify_fd)
        self._snapshots = [each for each in self._snapshots if not each.released]
        self._news.set()
        self._access_records.collect_soon()
        self._health.on_news()

    async def _until(self, condition: Callable[[], bool]) -> None:
        """Wait for a condition that only news from the workers can make true, or until the proxy is closed."""
        while not self._stopped and not condition():
            self._news.clear()
            await self._news.wait()


def _take_result(change: asyncio.Task[None]) -> None:
    """Nobody waits any more for a change that goes on: a refusal concerns nobody, anything else is an error."""
    error = None if change.cancelled() else change.exception()
    if error is not None and not isinstance(error, ConfigError):
        log.error("a change failed", exc_info=error)
