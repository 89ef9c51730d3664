"""Whether the workloads behind this proxy are well: their health checks, as those of endpoints. Control thread."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable, Sequence

import structlog

from mesh_core.config import Cluster, parse_address
from mesh_core.config.schema import HealthCheck, Workload
from mesh_core.control.upstream_health.health_check_answer import ProbeError, ProbeImpossible
from mesh_core.control.upstream_health.health_check_probe import Prober
from mesh_core.control.upstream_health.health_check_state import HealthState, interval_ms

log = structlog.get_logger("hopmesh")


class _Check:
    """What is checked, how, and what has come of it."""

    def __init__(self, workload: Workload, rules: HealthCheck) -> None:
        self.rules, self.state = rules, HealthState()
        self._names = {"service": workload.service, "app": workload.app}
        self._prober = Prober()
        self._address = parse_address(workload.app)
        # What a check asks of a cluster.
        self._cluster = Cluster(name=workload.service, endpoints=(workload.app,))

    def close(self) -> None:
        """Close what is kept for the next check."""
        self._prober.close()

    async def once(self) -> bool:
        """Check; whether the workload has become well, or has ceased to be."""
        reason, final = "", False
        try:
            await self._prober.probe(self._address, self._cluster, self.rules)
        except ProbeImpossible as error:
            log.warning("workload not checked", reason=str(error), **self._names)
            return False
        except ProbeError as error:
            reason, final = str(error), error.final
        first = not self.state.checked
        changed = self.state.take(not reason, self.rules, final=final)
        if reason and (changed or first):
            log.warning("workload unhealthy", reason=reason, **self._names)
        elif changed:
            log.info("workload healthy", **self._names)
        return changed


class WorkloadHealth:
    """`run` checks until it is cancelled. A workload without a health check is well; others are from their first
    passed check on."""

    def __init__(self, workloads: Sequence[Workload], changed: Callable[[], None]) -> None:
        """`changed`: called when a workload has become well, or has ceased to be."""
        self._checks = [
            None if each.health_check is None else _Check(each, each.health_check) for each in workloads
        ]
        self._changed = changed

    def healthy(self, index: int) -> bool:
        """Whether the workload of that place is well."""
        check = self._checks[index]
        return check is None or check.state.healthy

    async def run(self) -> None:
        """Check each of them, again and again."""
        async with asyncio.TaskGroup() as group:
            for check in self._checks:
                if check is not None:
                    group.create_task(self._watch(check))

    async def _watch(self, check: _Check) -> None:
        rules = check.rules
        try:
            await asyncio.sleep(random.random() * rules.initial_jitter_ms / 1000)
            while True:
                if await check.once():
                    self._changed()
                pause_ms = interval_ms(rules, healthy=check.state.healthy, traffic=True, chance=random.random())
                await asyncio.sleep(pause_ms / 1000)
        finally:
            check.close()
