"""The health of all endpoints of one proxy: what becomes of it when the configuration or the endpoints change.

The one object of this folder that the proxy knows. Control thread.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterable

from mesh_core.config import Config
from mesh_core.control.compiler import Compiler
from mesh_core.control.endpoints import Endpoints
from mesh_core.control.upstream_health.adaptive_concurrency import AdaptiveLimits
from mesh_core.control.upstream_health.health_checks import HealthChecks
from mesh_core.control.upstream_health.members import Member, Members
from mesh_core.control.upstream_health.outlier_sweep import OutlierSweep
from mesh_core.telemetry.stats import StatsRegistry
from mesh_core.upstream.endpoint_state import REMOVED
from mesh_core.worker.worker import Worker

# A new cluster serves without having been checked after this time. Envoy would wait for ever.
FIRST_CHECKS_LIMIT_S = 5.0


class UpstreamHealth:
    """Keeps the marks of endpoints right; nothing before the first `prepare`, and nothing after `close`."""

    def __init__(self, compiler: Compiler, registry: StatsRegistry, workers: Iterable[Worker]) -> None:
        """`compiler`: has the states of what it compiled. `workers`: are told to close connections."""
        self._compiler = compiler
        self._registry = registry
        self._workers = workers
        self._members: dict[str, Members] = {}
        self._left: list[tuple[Members, Member]] = []
        self._sweeps: dict[str, _Sweeping] = {}
        self._limits = AdaptiveLimits(registry)
        self._checks = HealthChecks(registry, self._on_pass, self._on_unhealthy)
        self._hurry = asyncio.Event()

    async def prepare(self, config: Config, endpoints: Endpoints) -> None:
        """Before a compiled snapshot is published: mark new endpoints, and wait for a new cluster's first checks."""
        before, self._members = self._members, self._members_of(config, endpoints)
        for members in self._members.values():
            for member in members.endpoints.values():
                member.state.mark(REMOVED, False)
        self._left += [
            (members, member)
            for name, members in before.items()
            for endpoint, member in members.endpoints.items()
            if not (name in self._members and endpoint in self._members[name].endpoints)
        ]
        self._checks.update(self._members)
        self._update_sweeps()
        first = self._checks.first_results(name for name in self._members if name not in before)
        if first:
            done = asyncio.gather(*first)
            hurry = asyncio.ensure_future(self._hurry.wait())
            await asyncio.wait((done, hurry), timeout=FIRST_CHECKS_LIMIT_S, return_when=asyncio.FIRST_COMPLETED)
            hurry.cancel()

    def published(self) -> None:
        """The snapshot is what every worker works by: what it left out is removed for good."""
        closing = False
        for members, member in self._left:
            current = self._members.get(members.cluster.name)
            if current is None or member.endpoint.name not in current.endpoints:
                member.state.mark(REMOVED, True)
                closing |= members.cluster.on_endpoint_removal == "close"
        self._left = []
        if closing:
            self._close_lost()

    def on_news(self) -> None:
        """A worker has news: perhaps it ejected an endpoint, or one asked to be taken out."""
        for each in self._sweeps.values():
            each.tell()
        self._checks.on_news()

    def hurry(self) -> None:
        """Wait for first checks no longer."""
        self._hurry.set()

    async def close(self) -> None:
        """End everything that runs by itself."""
        self.hurry()
        for each in self._sweeps.values():
            each.cancel()
        self._sweeps = {}
        self._limits.close()
        await self._checks.close()

    @property
    def members(self) -> dict[str, Members]:
        """Each cluster and its endpoints, by name, as of the newest snapshot."""
        return self._members

    def _members_of(self, config: Config, endpoints: Endpoints) -> dict[str, Members]:
        found = {}
        for cluster in config.clusters:
            state = self._compiler.cluster_state(cluster.name)
            assert state is not None
            members = {}
            for endpoint in endpoints.get(cluster.name, ()):
                endpoint_state = self._compiler.endpoint_state(cluster.name, endpoint.name)
                # One that was found since the snapshot was compiled comes with the next.
                if endpoint_state is not None:
                    stats = self._registry.scope("endpoint", cluster.name, endpoint.name)
                    members[endpoint.name] = Member(endpoint, endpoint_state, stats)
            found[cluster.name] = Members(cluster, state, members, self._limits.controller(cluster, state))
        self._limits.keep(found)
        return found

    def _update_sweeps(self) -> None:
        for name in [*self._sweeps]:
            if name not in self._members or self._members[name].cluster.outlier_detection is None:
                self._sweeps.pop(name).end()
        for name, members in self._members.items():
            rules = members.cluster.outlier_detection
            if rules is not None:
                if name not in self._sweeps:
                    self._sweeps[name] = _Sweeping(OutlierSweep(self._registry.scope("outlier_detection", name)))
                self._sweeps[name].update(members, rules.interval_ms)

    def _on_pass(self, cluster: str, endpoint: str) -> None:
        if cluster in self._sweeps:
            self._sweeps[cluster].sweep.passed_health_check(endpoint)

    def _on_unhealthy(self, cluster: str) -> None:
        if self._members[cluster].cluster.close_connections_on_host_health_failure:
            self._close_lost()

    def _close_lost(self) -> None:
        for worker in self._workers:
            worker.close_lost_connections()


class _Sweeping:
    """A sweep at each interval."""

    def __init__(self, sweep: OutlierSweep) -> None:
        self.sweep = sweep
        self._interval_ms = 0
        self._timer: asyncio.TimerHandle | None = None
        self._return_timer: asyncio.TimerHandle | None = None

    def update(self, members: Members, interval_ms: int) -> None:
        self.sweep.update(members)
        self.tell()
        if interval_ms != self._interval_ms:
            self._interval_ms = interval_ms
            self._schedule()

    def tell(self) -> None:
        """Whom a worker has ejected meanwhile, that is waited for from now on."""
        if self.sweep.tell():
            self._let_return()

    def end(self) -> None:
        self.cancel()
        self.sweep.end()

    def cancel(self) -> None:
        for timer in (self._timer, self._return_timer):
            if timer is not None:
                timer.cancel()

    def _schedule(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._timer = asyncio.get_running_loop().call_later(self._interval_ms / 1000, self._run)

    def _run(self) -> None:
        self._schedule()
        self.sweep.sweep(_now_ms())
        self._let_return()

    def _let_return(self) -> None:
        """In the moment when their time is over, not with the next sweep: that could be an interval later."""
        if self._return_timer is not None:
            self._return_timer.cancel()
        now_ms = _now_ms()
        next_ms = self.sweep.let_return(now_ms)
        if next_ms is not None:
            delay_s = (next_ms - now_ms) / 1000
            self._return_timer = asyncio.get_running_loop().call_later(delay_s, self._let_return)


def _now_ms() -> int:
    return time.monotonic_ns() // 1_000_000
