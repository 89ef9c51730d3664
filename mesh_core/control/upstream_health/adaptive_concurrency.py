"""The adaptive limits of all clusters: when each is reckoned anew. Control thread."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterable

from mesh_core.config import AdaptiveConcurrency, Cluster
from mesh_core.control.upstream_health.gradient_controller import GradientController
from mesh_core.telemetry.stats import StatsRegistry
from mesh_core.upstream.concurrency_limit import ConcurrencyLimit
from mesh_core.upstream.endpoint_state import ClusterState


class AdaptiveLimits:
    """Every cluster's. Nothing runs before `controller` is asked for one; `close` ends all of it."""

    def __init__(self, registry: StatsRegistry) -> None:
        """`registry`: where workers put their samples."""
        self._registry = registry
        self._ticking: dict[str, _Ticking] = {}

    def controller(self, cluster: Cluster, state: ClusterState) -> GradientController | None:
        """That of a cluster, by its rules from now on; None when it wants no such limit."""
        rules = cluster.adaptive_concurrency
        if rules is None:
            self._end(cluster.name)
            return None
        if cluster.name not in self._ticking:
            limit = ConcurrencyLimit(state, self._registry.scope("adaptive_concurrency", cluster.name))
            self._ticking[cluster.name] = _Ticking(GradientController(limit))
        self._ticking[cluster.name].update(rules)
        return self._ticking[cluster.name].controller

    def keep(self, clusters: Iterable[str]) -> None:
        """These are all the clusters that there are."""
        for name in {*self._ticking} - {*clusters}:
            self._end(name)

    def close(self) -> None:
        """End everything that runs by itself."""
        for name in [*self._ticking]:
            self._end(name)

    def _end(self, cluster: str) -> None:
        ticking = self._ticking.pop(cluster, None)
        if ticking is not None:
            ticking.end()


class _Ticking:
    """A reckoning at each interval."""

    def __init__(self, controller: GradientController) -> None:
        self.controller = controller
        self._timer: asyncio.TimerHandle | None = None
        self._interval_ms = 0

    def update(self, rules: AdaptiveConcurrency) -> None:
        self.controller.update(rules, _now_us())
        if rules.concurrency_update_interval_ms != self._interval_ms:
            self._interval_ms = rules.concurrency_update_interval_ms
            self._schedule()

    def end(self) -> None:
        self._cancel()
        self.controller.end()

    def _cancel(self) -> None:
        if self._timer is not None:
            self._timer.cancel()

    def _schedule(self) -> None:
        self._cancel()
        self._timer = asyncio.get_running_loop().call_later(self._interval_ms / 1000, self._run)

    def _run(self) -> None:
        self._schedule()
        self.controller.tick(_now_us())


def _now_us() -> int:
    return time.monotonic_ns() // 1000
