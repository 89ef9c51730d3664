"""The control thread's part of outlier detection in one cluster: sweeps at an interval, and words in the log.

A sweep lets endpoints return whose time is over, then judges the connects since the last one. Source: Envoy, "Outlier
detection". What workers eject between two sweeps is told as soon as they give notice.
"""

from __future__ import annotations

import random

import structlog

from mesh_core.control.upstream_health.members import Member, Members
from mesh_core.control.upstream_health.outlier_statistics import (
    Connects,
    ejection_time_ms,
    failure_percentage_outliers,
    success_rate_outliers,
)
from mesh_core.telemetry.stats import StatsScope
from mesh_core.upstream.endpoint_state import EndpointState
from mesh_core.upstream.outlier_detection import OutlierPolicy, uneject

log = structlog.get_logger("hopmesh")


class OutlierSweep:
    """Outlier detection in one cluster. Does nothing by itself: `sweep` is to be called at each interval."""

    def __init__(self, stats: StatsScope) -> None:
        """`stats`: the cluster's scope of kind "outlier_detection"."""
        self._stats = stats
        self._members: Members | None = None
        self._ejections_seen = 0
        self._seen: dict[str, int] = {}

    def update(self, members: Members) -> None:
        """From now on these are the cluster's rules and endpoints."""
        rules = members.cluster.outlier_detection
        assert rules is not None
        self._rules = rules
        self._policy = OutlierPolicy(rules, len(members.endpoints))
        for name, member in self._endpoints().items():
            if name not in members.endpoints:
                uneject(member.state)
        self._members = members
        self._seen = {
            name: self._seen.get(name, member.state.ejections) for name, member in members.endpoints.items()
        }

    def end(self) -> None:
        """No outlier detection any more: every endpoint returns."""
        for name, member in self._endpoints().items():
            if uneject(member.state):
                self._tell_return(name, "outlier detection is off")

    def sweep(self, now_ms: int) -> None:
        """Judge what has happened since the last sweep. `now_ms`: the monotonic clock."""
        self.tell_ejections()
        connects = {}
        for name, member in self._endpoints().items():
            connects[name] = Connects(*member.state.take_connects())
            self._check_return(name, member.state, now_ms)
        self._judge_all(success_rate_outliers(connects, self._rules), "success_rate", now_ms)
        self._judge_all(failure_percentage_outliers(connects, self._rules), "failure_percentage", now_ms)

    def passed_health_check(self, name: str) -> None:
        """An active health check of the endpoint has passed: if the rules say so, it returns."""
        member = self._endpoints().get(name)
        if member is not None and self._rules.successful_active_health_check_uneject_host and uneject(member.state):
            self._tell_return(name, "it passed a health check")

    def tell_ejections(self) -> None:
        """Log the ejections that were not logged yet; cheap when there is none."""
        if self._members is None or self._members.state.ejections == self._ejections_seen:
            return
        self._ejections_seen = self._members.state.ejections
        for name, member in self._endpoints().items():
            if member.state.ejections != self._seen[name]:
                self._tell_ejection(name, member.state, "consecutive_local_origin_failure")

    def _endpoints(self) -> dict[str, Member]:
        return {} if self._members is None else self._members.endpoints

    def _check_return(self, name: str, state: EndpointState, now_ms: int) -> None:
        if not state.ejected:
            state.lower_ejection_multiplier()
            return
        lasts_ms = ejection_time_ms(self._rules, state.ejection_multiplier, state.ejection_jitter_ms)
        if now_ms - state.ejected_at_ms >= lasts_ms and uneject(state):
            self._tell_return(name, "its time is over")

    def _judge_all(self, names: list[str], kind: str, now_ms: int) -> None:
        enforcing = {
            "success_rate": self._rules.enforcing_local_origin_success_rate,
            "failure_percentage": self._rules.enforcing_failure_percentage_local_origin,
        }[kind]
        for name in names:
            state = self._endpoints()[name].state
            verdict = self._policy.judge(state, enforcing, now_ms, random.getrandbits(64))
            if verdict == "none":
                continue
            self._stats.count(f"ejections_detected_local_origin_{kind}")
            if verdict == "overflow":
                self._stats.count("ejections_overflow")
            elif verdict == "ejected":
                self._stats.count(f"ejections_enforced_local_origin_{kind}")
                self._tell_ejection(name, state, kind)

    def _tell_ejection(self, name: str, state: EndpointState, kind: str) -> None:
        self._seen[name] = state.ejections
        log.warning(
            "endpoint ejected",
            cluster=self._cluster_name,
            endpoint=name,
            type=kind,
            ejections=state.ejections,
            for_ms=ejection_time_ms(self._rules, state.ejection_multiplier, state.ejection_jitter_ms),
        )

    def _tell_return(self, name: str, reason: str) -> None:
        log.info("endpoint returned", cluster=self._cluster_name, endpoint=name, reason=reason)

    @property
    def _cluster_name(self) -> str:
        assert self._members is not None
        return self._members.cluster.name
