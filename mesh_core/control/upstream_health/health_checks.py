"""Active health checks of all clusters: when each endpoint is checked, and how it is marked. Control thread."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable, Iterable, Mapping

import structlog

from mesh_core.config import Cluster, HealthCheck
from mesh_core.control.upstream_health.health_check_answer import ProbeError, ProbeImpossible
from mesh_core.control.upstream_health.health_check_probe import Prober
from mesh_core.control.upstream_health.health_check_state import HealthState, interval_ms
from mesh_core.control.upstream_health.members import Member, Members
from mesh_core.telemetry.stats import StatsRegistry
from mesh_core.upstream.endpoint_state import FAILED_ACTIVE_HEALTH_CHECK

# Checks under way at one time, in all clusters: each takes a descriptor.
CHECKS_AT_ONCE = 128
# An endpoint may ask to be left alone so long: a mistake of its own must not keep it out for ever.
RETRY_AFTER_MOST_S = 60

log = structlog.get_logger("hopmesh")

Passed = Callable[[str, str], None]
"""Hears of every check that an endpoint passed and that leaves it healthy: the cluster, the endpoint."""
Failed = Callable[[str], None]
"""Hears of every endpoint that became unhealthy: the cluster."""


class HealthChecks:
    """Starts nothing before `update` names clusters with health checks; `close` ends all of it."""

    def __init__(self, registry: StatsRegistry, on_pass: Passed, on_unhealthy: Failed) -> None:
        """`registry`: where what the checks find is counted."""
        self._registry = registry
        self._on_pass = on_pass
        self._on_unhealthy = on_unhealthy
        self._checks: dict[str, dict[str, _Check]] = {}
        self._places = asyncio.Semaphore(CHECKS_AT_ONCE)
        self._ended: set[asyncio.Task[None]] = set()

    def update(self, clusters: Mapping[str, Members]) -> None:
        """From now on these are the clusters and their endpoints. Those that are new wait for their first check."""
        for name in [*self._checks]:
            members = clusters.get(name)
            if members is None or not members.cluster.health_checks:
                self._end(self._checks.pop(name).values())
        for name, members in clusters.items():
            if members.cluster.health_checks:
                self._update_cluster(name, members)

    def first_results(self, clusters: Iterable[str]) -> list[asyncio.Future[None]]:
        """What is done once each endpoint of these clusters has been checked."""
        return [each.first for name in clusters for each in self._checks.get(name, {}).values()]

    def on_news(self) -> None:
        """A worker has news: perhaps an endpoint asked for it to be taken out, in an answer to traffic."""
        for checks in self._checks.values():
            for each in checks.values():
                each.look_at_mark()

    async def close(self) -> None:
        """End every check, also those under way."""
        for checks in self._checks.values():
            self._end(checks.values())
        self._checks = {}
        await asyncio.gather(*self._ended, return_exceptions=True)

    def _update_cluster(self, name: str, members: Members) -> None:
        checks = self._checks.setdefault(name, {})
        for endpoint in [*checks]:
            member = members.endpoints.get(endpoint)
            if member is None or member.state is not checks[endpoint].member.state:
                self._end([checks.pop(endpoint)])
        for endpoint, member in members.endpoints.items():
            if endpoint in checks:
                checks[endpoint].member, checks[endpoint].cluster = member, members.cluster
            else:
                checks[endpoint] = _Check(self, members.cluster, member)

    def _end(self, checks: Iterable[_Check]) -> None:
        for each in checks:
            task = each.end()
            if task is not None:
                self._ended.add(task)
                task.add_done_callback(self._ended.discard)


class _Check:
    """The checks of one endpoint, one after the other."""

    def __init__(self, owner: HealthChecks, cluster: Cluster, member: Member) -> None:
        self.member = member
        self.cluster = cluster
        self._owner = owner
        self._stats = owner._registry.scope("health_check", cluster.name)
        self._traffic = owner._registry.scope("cluster", cluster.name)
        self._state = HealthState()
        self._prober = Prober()
        self._loop = asyncio.get_running_loop()
        self.first: asyncio.Future[None] = self._loop.create_future()
        self._task: asyncio.Task[None] | None = None
        member.state.mark(FAILED_ACTIVE_HEALTH_CHECK, True)
        self._timer = self._loop.call_later(random.random() * self.rules.initial_jitter_ms / 1000, self._begin)

    @property
    def rules(self) -> HealthCheck:
        """How it is checked."""
        return self.cluster.health_checks[0]

    def look_at_mark(self) -> None:
        """Take it for failed if a worker has marked it so."""
        if not self._state.healthy or not self.member.state.failed_active_health_check:
            return
        self._state.fail()
        self._stats.count("passive_failure")
        log.warning("endpoint unhealthy", reason="its answer asks for it to be taken out", **self._names())
        self._owner._on_unhealthy(self.cluster.name)

    def end(self) -> asyncio.Task[None] | None:
        """Check no more, and take the mark away; the task to wait for, if a check is under way."""
        self._timer.cancel()
        self.member.state.mark(FAILED_ACTIVE_HEALTH_CHECK, False)
        if not self.first.done():
            self.first.set_result(None)
        if self._task is None:
            self._prober.close()
        else:
            self._task.cancel()
        return self._task

    def _begin(self) -> None:
        self._task = self._loop.create_task(self._check())

    async def _check(self) -> None:
        retry_after_s = 0
        try:
            async with self._owner._places:
                self._stats.count("attempt")
                await self._prober.probe(self.member.endpoint.address, self.cluster, self.rules)
        except asyncio.CancelledError:
            self._prober.close()
            raise
        except ProbeImpossible as error:
            log.warning("endpoint not checked", reason=str(error), **self._names())
        except ProbeError as error:
            self._stats.count("failure")
            if error.network:
                self._stats.count("network_failure")
            retry_after_s = min(error.retry_after_s, RETRY_AFTER_MOST_S)
            self._failed(str(error), final=error.final)
        else:
            self._stats.count("success")
            self._passed()
        self._task = None
        if not self.first.done():
            self.first.set_result(None)
        self._timer = self._loop.call_later(max(self._pause_s(), retry_after_s), self._begin)

    def _passed(self) -> None:
        self.look_at_mark()
        first = not self._state.checked
        if self._state.take(True, self.rules):
            self.member.state.mark(FAILED_ACTIVE_HEALTH_CHECK, False)
            if not first:
                log.info("endpoint healthy", **self._names())
        if self._state.healthy:
            self._owner._on_pass(self.cluster.name, self.member.endpoint.name)

    def _failed(self, reason: str, *, final: bool) -> None:
        first = not self._state.checked
        changed = self._state.take(False, self.rules, final=final)
        if changed or first:
            log.warning("endpoint unhealthy", reason=reason, **self._names())
        if changed:
            self.member.state.mark(FAILED_ACTIVE_HEALTH_CHECK, True)
            self._owner._on_unhealthy(self.cluster.name)

    def _names(self) -> dict[str, str]:
        return {"cluster": self.cluster.name, "endpoint": self.member.endpoint.name}

    def _pause_s(self) -> float:
        used = self.rules.no_traffic_interval_ms is None or self._traffic.read()["upstream_cx_total"] > 0
        pause_ms = interval_ms(self.rules, healthy=self._state.healthy, traffic=used, chance=random.random())
        return pause_ms / 1000
