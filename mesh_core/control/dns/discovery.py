"""The endpoints of a proxy's clusters, static ones and those that DNS tells, through changes of the configuration."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TYPE_CHECKING

import structlog

from mesh_core.config import Cluster, Config, parse_resolver
from mesh_core.control.dns.hosts_file import HostsFile
from mesh_core.control.endpoints import Endpoints, static_endpoints
from mesh_core.telemetry.stats import StatsRegistry

if TYPE_CHECKING:
    from mesh_core.control.dns.cluster_resolution import ClusterResolution

WARMING_LIMIT_S = 15.0
"""How long new DNS clusters are waited for before they are used as they are: Envoy's initial_fetch_timeout."""

CONCURRENT_LOOK_UPS = 32
"""Look-ups at one time in a proxy: their sockets come out of the 64 descriptors that are the control thread's own."""

Resolutions = dict[str, "ClusterResolution"]
"""What keeps the endpoints of each DNS cluster up to date, by the cluster's name."""

log = structlog.get_logger("hopmesh")


class Discovery:
    """Finds endpoints. A new configuration is prepared, and then kept or discarded; the old one goes on meanwhile."""

    def __init__(self, registry: StatsRegistry, changed: Callable[[], None]) -> None:
        """`changed` is called, on the loop, when the endpoints of the configuration that is kept are others."""
        self._registry = registry
        self._changed = changed
        self._kept: Resolutions = {}
        self._stopping: set[asyncio.Task[None]] = set()
        self._hurried = asyncio.Event()
        self._places = asyncio.Semaphore(CONCURRENT_LOOK_UPS)
        self._hosts = HostsFile()

    async def prepare(self, config: Config) -> Resolutions:
        """Start what `config` needs, and wait until every name that is new has been looked up once.

        A cluster whose settings of DNS are unchanged goes on as it is. Waits at most WARMING_LIMIT_S.
        """
        prepared: Resolutions = {}
        fresh: list[ClusterResolution] = []
        for cluster in config.clusters:
            if cluster.type == "static":
                continue
            running = self._kept.get(cluster.name)
            if running is None or _settings(running.cluster) != _settings(cluster):
                running = self._started(cluster, running)
                fresh.append(running)
            prepared[cluster.name] = running
        try:
            await self._warm(fresh)
        except BaseException:
            self.discard(prepared)
            raise
        return prepared

    def keep(self, prepared: Resolutions) -> None:
        """Go by what was prepared from now on."""
        before, self._kept = self._kept, prepared
        self._stop(before, but=prepared)

    def discard(self, prepared: Resolutions) -> None:
        """Give up what was prepared."""
        self._stop(prepared, but=self._kept)

    def endpoints(self, config: Config, resolutions: Resolutions | None = None) -> Endpoints:
        """The endpoints of each cluster of `config` as they are now, by `resolutions` or by those that are kept."""
        known = self._kept if resolutions is None else resolutions
        found = {each.name: static_endpoints(each) for each in config.clusters if each.type == "static"}
        return found | {name: each.endpoints for name, each in known.items()}

    def hurry(self) -> None:
        """Wait for no first look-up, neither now nor later."""
        self._hurried.set()

    async def close(self) -> None:
        """Stop everything that is kept, and wait until all that was stopped has ended."""
        self.keep({})
        await asyncio.gather(*self._stopping, return_exceptions=True)

    def _started(self, cluster: Cluster, earlier: ClusterResolution | None) -> ClusterResolution:
        # Only who has DNS clusters pays for the library: 7 MB and 80 ms.
        from mesh_core.control.dns.cluster_resolution import ClusterResolution  # noqa: PLC0415
        from mesh_core.control.dns.resolver import DnsResolver  # noqa: PLC0415

        servers = [parse_resolver(each) for each in cluster.dns_resolvers]
        resolver = DnsResolver(servers, cluster.dns_query_timeout_ms, self._places, hosts=self._hosts)
        scope = self._registry.scope("cluster", cluster.name)
        started = ClusterResolution(cluster, resolver, scope, self._on_change, earlier=earlier)
        started.start()
        return started

    def _on_change(self, resolution: ClusterResolution) -> None:
        if self._kept.get(resolution.cluster.name) is resolution:
            self._changed()

    async def _warm(self, fresh: list[ClusterResolution]) -> None:
        if not fresh:
            return

        async def all_warm() -> None:
            for each in fresh:
                await each.until_warm()

        waits = [asyncio.ensure_future(all_warm()), asyncio.ensure_future(self._until_hurried())]
        try:
            await asyncio.wait(waits, timeout=WARMING_LIMIT_S, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for wait in waits:
                wait.cancel()
            await asyncio.gather(*waits, return_exceptions=True)
        late = [each.cluster.name for each in fresh if not each.warm]
        if late:
            log.warning("clusters are used before DNS has answered", clusters=late[:10], count=len(late))

    async def _until_hurried(self) -> None:
        await self._hurried.wait()

    def _stop(self, resolutions: Resolutions, but: Resolutions) -> None:
        for name, each in resolutions.items():
            if but.get(name) is not each:
                task = asyncio.ensure_future(each.stop())
                self._stopping.add(task)
                task.add_done_callback(self._stopping.discard)


def _settings(cluster: Cluster) -> tuple[object, ...]:
    """What cannot change without looking up anew."""
    names = ("type", "endpoints", *(each for each in cluster.__struct_fields__ if "dns_" in each))
    return tuple(getattr(cluster, each) for each in names)
