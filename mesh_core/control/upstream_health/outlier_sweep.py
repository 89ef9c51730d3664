"""The control thread's part of outlier detection in one cluster: sweeps at an interval, and words in the log.

A sweep lets endpoints return whose time is over, then judges what was attempted since the last one. Source: Envoy,
"Outlier detection". What workers do between two sweeps is told as soon as they give notice.
"""

from __future__ import annotations

import random

import structlog

from mesh_core.control.upstream_health.members import Member, Members
from mesh_core.control.upstream_health.outlier_attempts import OutlierAttempts
from mesh_core.control.upstream_health.outlier_statistics import (
    Attempts,
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
        self._out: dict[str, EndpointState] = {}
        self._reasons: dict[str, str] = {}
        self._attempts = OutlierAttempts()

    def update(self, members: Members) -> None:
        """From now on these are the cluster's rules and endpoints."""
        rules = members.cluster.outlier_detection
        assert rules is not None
        self._rules = rules
        self._policy = OutlierPolicy(rules, len(members.endpoints))
        for name, member in self._endpoints().items():
            if name not in members.endpoints:
                uneject(member.state)
                self._out.pop(name, None)
                self._reasons.pop(name, None)
        self._members = members
        self._attempts.update(members.endpoints)
        # An old snapshot may have been left with some of them ejected.
        self._out |= {name: member.state for name, member in members.endpoints.items() if member.state.ejected}
        self._seen = {name: self._seen.get(name, member.state.ejections) for name, member in members.endpoints.items()}

    def end(self) -> None:
        """No outlier detection any more: every endpoint returns."""
        for name, member in self._endpoints().items():
            if uneject(member.state):
                self._tell_return(name, "outlier detection is off")

    def sweep(self, now_ms: int) -> None:
        """Judge what has happened since the last sweep. `now_ms`: the monotonic clock."""
        for state in [member.state for member in self._endpoints().values() if not member.state.ejected]:
            state.lower_ejection_multiplier()
        self.let_return(now_ms)
        origin: dict[str, Attempts] = {}
        local: dict[str, Attempts] = {}
        for name, member in self._endpoints().items():
            split = self._rules.split_external_local_origin_errors
            origin[name], local[name] = self._attempts.take(name, member, split=split)
        rules = self._rules
        self._judge_all(success_rate_outliers(origin, rules), "success_rate", rules.enforcing_success_rate, now_ms)
        self._judge_all(
            failure_percentage_outliers(origin, rules), "failure_percentage", rules.enforcing_failure_percentage, now_ms
        )
        self._judge_all(
            success_rate_outliers(local, rules),
            "local_origin_success_rate",
            rules.enforcing_local_origin_success_rate,
            now_ms,
        )
        self._judge_all(
            failure_percentage_outliers(local, rules),
            "local_origin_failure_percentage",
            rules.enforcing_failure_percentage_local_origin,
            now_ms,
        )

    def let_return(self, now_ms: int) -> int | None:
        """Let endpoints return whose time is over; when the next one's will be, None when nobody waits for that."""
        self.tell()
        ends_ms = []
        for name, state in [*self._out.items()]:
            if self._rules.accrual is not None:
                self._policy.expect_probe(state, now_ms)
                continue
            end_ms = state.ejected_at_ms + ejection_time_ms(
                self._rules, state.ejection_multiplier, state.ejection_jitter_ms
            )
            if end_ms > now_ms:
                ends_ms.append(end_ms)
            elif uneject(state):
                self._tell_return(name, "its time is over")
        return min(ends_ms, default=None)

    def passed_health_check(self, name: str) -> None:
        """An active health check of the endpoint has passed: if the rules say so, it returns."""
        member = self._endpoints().get(name)
        if member is None or not self._rules.successful_active_health_check_uneject_host:
            return
        if self._is_answered_by_check(name, member.state) and uneject(member.state):
            self._tell_return(name, "it passed a health check")

    def tell(self) -> bool:
        """Log what workers have done and was not logged yet: whether they ejected anybody. Cheap when not."""
        if self._members is None:
            return False
        for name in [name for name, state in self._out.items() if not state.ejected]:
            self._tell_return(name, "a request succeeded")
        if self._members.state.ejections == self._ejections_seen:
            return False
        self._ejections_seen = self._members.state.ejections
        for name, member in self._endpoints().items():
            if member.state.ejections != self._seen[name]:
                self._tell_ejection(name, member.state, member.state.ejection_reason)
        return True

    def _is_answered_by_check(self, name: str, state: EndpointState) -> bool:
        """Whether a passed check speaks against the reason of an ejection: a process that hangs, or fails at every
        request, still has its connections accepted by the kernel."""
        assert self._members is not None
        checks = self._members.cluster.health_checks
        if any(each.type == "http" or each.receive for each in checks):
            return True
        reason = self._reasons.get(name, state.ejection_reason)
        return "local_origin" in reason and not self._rules.split_external_local_origin_errors

    def _endpoints(self) -> dict[str, Member]:
        return {} if self._members is None else self._members.endpoints

    def _judge_all(self, names: list[str], kind: str, enforcing: int, now_ms: int) -> None:
        for name in names:
            state = self._endpoints()[name].state
            verdict = self._policy.judge(state, enforcing, now_ms, random.getrandbits(64))
            if verdict == "none":
                continue
            self._stats.count(f"ejections_detected_{kind}")
            if verdict == "overflow":
                self._stats.count("ejections_overflow")
            elif verdict == "ejected":
                self._stats.count(f"ejections_enforced_{kind}")
                self._tell_ejection(name, state, kind)

    def _tell_ejection(self, name: str, state: EndpointState, kind: str) -> None:
        self._seen[name] = state.ejections
        self._out[name] = state
        self._reasons[name] = kind
        lasts_ms = ejection_time_ms(self._rules, state.ejection_multiplier, state.ejection_jitter_ms)
        if self._rules.accrual is not None:
            lasts_ms = max(0, state.probe_at_ms - state.ejected_at_ms)
        log.warning(
            "endpoint ejected",
            cluster=self._cluster_name,
            endpoint=name,
            type=kind,
            ejections=state.ejections,
            for_ms=lasts_ms,
        )

    def _tell_return(self, name: str, reason: str) -> None:
        self._out.pop(name, None)
        self._reasons.pop(name, None)
        log.info("endpoint returned", cluster=self._cluster_name, endpoint=name, reason=reason)

    @property
    def _cluster_name(self) -> str:
        assert self._members is not None
        return self._members.cluster.name
