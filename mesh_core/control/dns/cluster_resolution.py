"""The endpoints of one DNS cluster, kept up to date: its names together, as its type says."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator

import structlog

from mesh_core.config import Address, Cluster, HostName, parse_address, parse_endpoint
from mesh_core.config.schema.endpoint import as_endpoint
from mesh_core.control.dns.name_resolution import NameResolution, Sleep
from mesh_core.control.dns.resolver import Resolver
from mesh_core.control.endpoints import ResolvedEndpoint
from mesh_core.telemetry.stats import StatsScope

MOST_ENDPOINTS = 4096
"""Endpoints that a DNS cluster takes: what one answer can hold, 64 KiB of it. More of them are left out and counted."""

log = structlog.get_logger("hopmesh")


class ClusterResolution:
    """Looks the names of a cluster up from `start` to `stop`."""

    def __init__(
        self,
        cluster: Cluster,
        resolver: Resolver,
        scope: StatsScope,
        changed: Callable[[ClusterResolution], None],
        *,
        sleep: Sleep = asyncio.sleep,
        earlier: ClusterResolution | None = None,
    ) -> None:
        """`scope`: the cluster's statistics. `changed` is called when `endpoints` are others than before.

        `earlier`: the resolution of the same cluster, otherwise configured, that this one takes the place of.
        """
        self.cluster = cluster
        self.endpoints: tuple[ResolvedEndpoint, ...] = ()
        if earlier is not None and earlier.cluster.endpoints == cluster.endpoints:
            self.endpoints = earlier.endpoints
        self._scope = scope
        self._changed = changed
        self._overflowing = False
        self._sources = [(each, parse_endpoint(each.address)) for each in map(as_endpoint, cluster.endpoints)]
        known: dict[HostName, NameResolution] = {} if earlier is None else earlier._names
        self._names: dict[HostName, NameResolution] = {
            each: NameResolution(
                each, cluster, resolver, scope, self._refresh, sleep=sleep, earlier=known.get(each)
            )
            for _, each in self._sources
            if isinstance(each, HostName)
        }
        self._tasks: list[asyncio.Task[None]] = []
        self.endpoints = self._found()

    def start(self) -> None:
        """Begin to look up."""
        self._tasks = [asyncio.ensure_future(name.run()) for name in self._names.values()]

    @property
    def warm(self) -> bool:
        """Whether every name has been looked up once, with success or without."""
        return all(name.looked_up.is_set() for name in self._names.values())

    async def until_warm(self) -> None:
        """Wait until every name has been looked up once."""
        for name in self._names.values():
            await name.looked_up.wait()

    async def stop(self) -> None:
        """Look up no more."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _refresh(self) -> None:
        found = self._found()
        if found != self.endpoints:
            log.debug("endpoints changed", cluster=self.cluster.name, endpoints=[each.name for each in found])
            self.endpoints = found
            self._changed(self)

    def _found(self) -> tuple[ResolvedEndpoint, ...]:
        if self.cluster.type == "logical_dns":
            # Without an address it goes on with the one that it had, as Envoy does.
            return tuple(self._all())[:1] or self.endpoints
        by_address: dict[Address, ResolvedEndpoint] = {}
        for endpoint in self._all():
            by_address.setdefault(endpoint.address, endpoint)
        found = tuple(by_address.values())
        overflowing = len(found) > MOST_ENDPOINTS
        if overflowing:
            self._scope.count("update_overflow")
            if not self._overflowing:
                log.warning(
                    "more addresses than a cluster takes", cluster=self.cluster.name, addresses=len(found),
                    taken=MOST_ENDPOINTS,
                )  # fmt: skip
        self._overflowing = overflowing
        return found[:MOST_ENDPOINTS]

    def _all(self) -> Iterator[ResolvedEndpoint]:
        for settings, source in self._sources:
            if not isinstance(source, HostName):
                yield ResolvedEndpoint(settings.address, source, settings.address, settings)
                continue
            addresses = self._names[source].addresses
            # DNS servers turn their answers round; only for a single endpoint the order means something.
            for host in addresses if self.cluster.type == "logical_dns" else sorted(addresses):
                address = parse_address(f"[{host}]:{source.port}" if ":" in host else f"{host}:{source.port}")
                yield ResolvedEndpoint(str(address), address, settings.address, settings)
