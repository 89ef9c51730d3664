"""What a proxy serves by, and how that changes: by another configuration, by endpoints or certificates that have become
others, by a drain. Control thread.

A change waits for the one before it and is made as a whole, also when whoever asked for it is cancelled: while a worker
may still accept from a socket its number must stay taken, or it would accept from a stranger's.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Collection
from typing import Literal

import structlog

from mesh_core.config import Config, ConfigError, Fault
from mesh_core.control.access_records import AccessRecords
from mesh_core.control.compiler import Compiler
from mesh_core.control.dns.discovery import Discovery, Resolutions
from mesh_core.control.endpoints import Endpoints
from mesh_core.control.listener_sockets import ListenerSocket, ListenerSockets
from mesh_core.control.overload import OverloadMonitor
from mesh_core.control.publisher import Publisher
from mesh_core.control.tls.contexts import Prepared, TlsContexts
from mesh_core.control.tls.watch import TlsWatch
from mesh_core.control.whole_tasks import WholeTasks
from mesh_core.snapshot.snapshot import Snapshot
from mesh_core.telemetry.stats import StatsRegistry

State = Literal["new", "live", "draining", "closed"]

Ready = Callable[[], Awaitable[None]]
"""Awaited when all of a change that can fail is done; what it raises refuses the change."""

# Endpoints that change within this time make one snapshot.
PUBLISH_DELAY_S = 0.05

log = structlog.get_logger("hopmesh")


class Changes:
    """What is served now, and the changes of it."""

    def __init__(
        self,
        config: Config,
        name: str,
        *,
        registry: StatsRegistry,
        compiler: Compiler,
        publisher: Publisher,
        access_records: AccessRecords,
    ) -> None:
        """`config`, which faults call `name`: what will be served first."""
        self.config = config
        self.state: State = "new"
        self.tls = TlsContexts()
        self.sockets = ListenerSockets(registry.workers)
        self.sockets_by_listener: dict[str, ListenerSocket] = {}
        self.shares_sockets = False
        self._name = name
        self._workers = registry.workers
        self._compiler = compiler
        self._publisher = publisher
        self._access_records = access_records
        self._tls_watch = TlsWatch(self._on_tls_files_changed)
        self._discovery = Discovery(registry, self.on_endpoints_changed)
        self._overload = OverloadMonitor(compiler.overload, registry)
        self._endpoints_changed = False
        self._applying = asyncio.Lock()
        self._changing = asyncio.Lock()
        self._tasks = WholeTasks()

    @property
    def endpoints(self) -> Endpoints:
        """The endpoints of each cluster, by name, as they are known now."""
        return self._discovery.endpoints(self.config)

    # --- what is asked for ---

    async def begin(self, ready: Ready | None) -> None:
        """Serve for the first time. Raises ConfigError."""
        await self._tasks.whole(self._apply("new", self.config, self._name, ready))
        # It may have been stopped between the end of the change and this turn.
        self._refuse_unless("new", self._name)
        self.state = "live"

    async def apply(self, config: Config, name: str) -> None:
        """Serve by `config` from now on. Raises ConfigError when it cannot be taken; then nothing has changed."""
        await self._tasks.whole(self._apply("live", config, name))

    async def drain_listeners(self, taken_over: frozenset[int]) -> None:
        """Stop accepting, for good. `taken_over`: ids of sockets that another process accepts from already."""
        await self._tasks.whole(self._drain_listeners(taken_over))

    def hurry(self) -> None:
        """Wait for DNS no longer than now."""
        self._discovery.hurry()

    def stop(self) -> None:
        """Nothing is begun any more; what is under way goes on."""
        self.state = "closed"
        self._tls_watch.close()
        self._overload.close()

    async def ended(self) -> None:
        """After `stop`: wait until nothing is under way."""
        await self._tasks.ended()
        await self._discovery.close()

    # --- another configuration ---

    async def _apply(self, state: State, config: Config, name: str, ready: Ready | None = None) -> None:
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

    async def _change(self, config: Config, resolutions: Resolutions, name: str, ready: Ready | None) -> None:
        tls = self.tls.prepare(config, name)
        chosen, opened = self.sockets.prepare(config, name)
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
        dropped = self.sockets.keep(config, chosen)
        self._keep_tls(tls)
        self._discovery.keep(resolutions)
        if self._discovery.endpoints(config) != endpoints:
            self.on_endpoints_changed()
        replaced = self._access_records.keep(access_log, config)
        self.config, self.sockets_by_listener = config, chosen
        self._overload.follow(config.overload, asyncio.get_running_loop())
        await self._publish(snapshot)
        for each in dropped:
            each.close()
        await self._access_records.retire(replaced)

    def _refuse_unless(self, state: State, name: str) -> None:
        if self.state != state:
            raise ConfigError(name, (Fault("", None, None, f"the proxy is {self.state}"),))

    def _refuse_fixed_changes(self, config: Config, name: str) -> None:
        if config.workers is not None and config.workers != self._workers:
            message = f"the number of workers is fixed while the proxy runs ({self._workers})"
            raise ConfigError(name, (Fault("workers", None, None, message, "restart the proxy to change it"),))
        if config.metrics != self.config.metrics:
            message = f"the bound is fixed while the proxy runs ({self.config.metrics.max_request_series})"
            hint = "restart the proxy to change it"
            raise ConfigError(name, (Fault("metrics.max_request_series", None, None, message, hint),))

    # --- the same configuration ---

    async def _drain_listeners(self, taken_over: frozenset[int]) -> None:
        async with self._changing:
            if self.state != "live":
                return
            self.state = "draining"
            dropped = self.sockets.give_up()
            self.sockets_by_listener = {}
            shared = [each.id for each in dropped if self.shares_sockets or each.id in taken_over]
            await self._publish(self._compile(self.config, {}, self.endpoints, self.tls.current, shared))
            for each in dropped:
                each.leave() if each.id in taken_over else each.close()

    def _on_tls_files_changed(self) -> None:
        self._tasks.begin(self._refresh_tls())

    async def _refresh_tls(self) -> None:
        """With what stands in its certificates' files now."""
        async with self._changing:
            if self.state != "live":
                return
            try:
                tls = self.tls.prepare(self.config, self._name)
                snapshot = self._compile(self.config, self.sockets_by_listener, self.endpoints, tls)
            except ConfigError as error:
                faults = [fault.render(error.name) for fault in error.faults]
                log.error("changed certificates refused", faults=faults)
                return
            self._keep_tls(tls)
            await self._publish(snapshot)
            log.info("certificates reloaded", snapshot=self._publisher.version)

    def _keep_tls(self, tls: Prepared) -> None:
        self.tls.keep(tls)
        self._tls_watch.watch(tls, asyncio.get_running_loop())

    def on_endpoints_changed(self) -> None:
        """Endpoints are others than before: publish them soon. Called on the loop."""
        if not self._endpoints_changed and self.state != "closed":
            self._endpoints_changed = True
            self._tasks.begin(self._republish())

    async def _republish(self) -> None:
        """With the endpoints that there are now."""
        await asyncio.sleep(PUBLISH_DELAY_S)
        async with self._changing:
            # What changes from here on needs another turn.
            self._endpoints_changed = False
            if self.state in ("draining", "closed"):
                return
            try:
                snapshot = self._compile(self.config, self.sockets_by_listener, self.endpoints, self.tls.current)
            except MemoryError:
                log.error("changed endpoints wait", reason="no memory")
                self.on_endpoints_changed()
            else:
                await self._publish(snapshot)

    # --- a snapshot ---

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

    async def _publish(self, snapshot: Snapshot) -> None:
        await self._publisher.publish(snapshot, self.config, self.endpoints)
