"""What can be said of a cluster at this moment, from what all workers share: gauges with Envoy's names."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from mesh_core.control.upstream_health.members import Members


class ClusterGauge(NamedTuple):
    """One number of a cluster: `value` gives None where it has no meaning."""

    name: str
    help: str
    value: Callable[[Members], int | None]


def healthy_endpoints(members: Members) -> int:
    """How many endpoints may be picked."""
    return sum(member.state.healthy for member in members.endpoints.values())


def _remaining(limit: str, used: str) -> Callable[[Members], int | None]:
    """A gauge of what is left of `limit`, a field of CircuitBreakers; `used`: an attribute of ClusterState."""

    def value(members: Members) -> int | None:
        limits = members.cluster.circuit_breakers
        return None if limits is None else max(0, getattr(limits, limit) - getattr(members.state, used))

    return value


def _open(limit: str, used: str) -> Callable[[Members], int | None]:
    """A gauge that is 1 while nothing is left."""
    remaining = _remaining(limit, used)

    def value(members: Members) -> int | None:
        left = remaining(members)
        return None if left is None else int(left == 0)

    return value


def _retries_open(members: Members) -> int:
    budget = members.cluster.retry.budget
    limit = max(budget.min_concurrency, members.state.connections * budget.percent // 100)
    return int(members.state.retries >= limit)


def _ejections_active(members: Members) -> int | None:
    return None if members.cluster.outlier_detection is None else members.state.ejected


def _checked_healthy(members: Members) -> int | None:
    if not members.cluster.health_checks:
        return None
    return sum(not member.state.failed_active_health_check for member in members.endpoints.values())


CLUSTER_GAUGES = (
    ClusterGauge("membership_total", "Endpoints", lambda members: len(members.endpoints)),
    ClusterGauge("membership_healthy", "Endpoints that connections may go to", healthy_endpoints),
    ClusterGauge("upstream_cx_pending_active", "Connections that are not open yet",
                 lambda members: members.state.pending),
    ClusterGauge("upstream_cx_retry_active", "Connections that are not open yet and whose first attempt has failed",
                 lambda members: members.state.retries),
    ClusterGauge("upstream_rq_pending_active", "Requests that wait for a connection",
                 lambda members: members.state.pending_requests),
    ClusterGauge("circuit_breakers.default.cx_open", "1 while max_connections is reached",
                 _open("max_connections", "connections")),
    ClusterGauge("circuit_breakers.default.cx_pending_open", "1 while max_pending_connections is reached",
                 _open("max_pending_connections", "pending")),
    ClusterGauge("circuit_breakers.default.cx_retry_open", "1 while the retry budget is used up", _retries_open),
    ClusterGauge("circuit_breakers.default.rq_open", "1 while max_requests is reached",
                 _open("max_requests", "requests")),
    ClusterGauge("circuit_breakers.default.rq_pending_open", "1 while max_pending_requests is reached",
                 _open("max_pending_requests", "pending_requests")),
    ClusterGauge("circuit_breakers.default.remaining_cx", "Connections left before max_connections",
                 _remaining("max_connections", "connections")),
    ClusterGauge("circuit_breakers.default.remaining_cx_pending", "Connections left before max_pending_connections",
                 _remaining("max_pending_connections", "pending")),
    ClusterGauge("circuit_breakers.default.remaining_rq", "Requests left before max_requests",
                 _remaining("max_requests", "requests")),
    ClusterGauge("circuit_breakers.default.remaining_pending", "Requests left before max_pending_requests",
                 _remaining("max_pending_requests", "pending_requests")),
    ClusterGauge("outlier_detection.ejections_active", "Endpoints that are ejected now", _ejections_active),
    ClusterGauge("health_check.healthy", "Endpoints that pass their active health checks", _checked_healthy),
)  # fmt: skip


def cluster_gauges(members: Members) -> dict[str, int]:
    """Every gauge of a cluster that has a meaning, by name."""
    values = {gauge.name: gauge.value(members) for gauge in CLUSTER_GAUGES}
    return {name: value for name, value in values.items() if value is not None}
