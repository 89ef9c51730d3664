"""What can be said of a cluster at this moment, from what all workers share: gauges with Envoy's names."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import NamedTuple

from mesh_core.config.schema import CircuitBreakers, Thresholds
from mesh_core.control.upstream_health.members import Members
from mesh_core.upstream.endpoint_state import BREAKER_PRIORITIES


class ClusterGauge(NamedTuple):
    """One number of a cluster: `value` gives None where it has no meaning."""

    name: str
    help: str
    value: Callable[[Members], int | None]


def healthy_endpoints(members: Members) -> int:
    """How many endpoints may be picked."""
    return sum(member.state.healthy for member in members.endpoints.values())


def _limits(members: Members, priority: str) -> CircuitBreakers | Thresholds | None:
    breakers = members.cluster.circuit_breakers
    return breakers if breakers is None or priority == "default" else breakers.high


def _remaining(priority: str, limit: str, used: str) -> Callable[[Members], int | None]:
    """A gauge of what is left of `limit`, a field of CircuitBreakers; `used`: a method of ClusterState."""

    def value(members: Members) -> int | None:
        most = getattr(_limits(members, priority), limit, None)
        return None if most is None else max(0, most - getattr(members.state, used)(priority))

    return value


def _open(priority: str, limit: str, used: str) -> Callable[[Members], int | None]:
    """A gauge that is 1 while nothing is left."""
    remaining = _remaining(priority, limit, used)

    def value(members: Members) -> int | None:
        left = remaining(members)
        return None if left is None else int(left == 0)

    return value


def _all(used: str) -> Callable[[Members], int]:
    """A gauge over all priorities."""
    return lambda members: sum(getattr(members.state, used)(priority) for priority in BREAKER_PRIORITIES)


def _retries_open(members: Members) -> int:
    budget = members.cluster.retry.budget
    limit = max(budget.min_concurrency, _all("connections")(members) * budget.percent // 100)
    return int(members.state.retries >= limit)


def _breakers(priority: str) -> Iterator[ClusterGauge]:
    """The gauges of one priority's circuit breakers."""
    prefix = f"circuit_breakers.{priority}."
    for name, remaining, limit, used, told in (
        ("cx", "cx", "max_connections", "connections", "Connections"),
        ("rq", "rq", "max_requests", "requests", "Requests"),
        ("rq_pending", "pending", "max_pending_requests", "pending_requests", "Requests that may wait"),
        ("rq_retry", "retries", "max_retries", "breaker_retries", "Retries of requests"),
    ):
        yield ClusterGauge(f"{prefix}{name}_open", f"1 while {limit} is reached", _open(priority, limit, used))
        yield ClusterGauge(
            f"{prefix}remaining_{remaining}", f"{told} left before {limit}", _remaining(priority, limit, used)
        )


def _limit(name: str) -> Callable[[Members], int | None]:
    """A gauge of the adaptive limit."""
    return lambda members: None if members.limit is None else members.limit.gauges()[name]


def _ejections_active(members: Members) -> int | None:
    return None if members.cluster.outlier_detection is None else members.state.ejected


def _checked_healthy(members: Members) -> int | None:
    if not members.cluster.health_checks:
        return None
    return sum(not member.state.failed_active_health_check for member in members.endpoints.values())


CLUSTER_GAUGES = (
    ClusterGauge("membership_total", "Endpoints", lambda members: len(members.endpoints)),
    ClusterGauge("membership_healthy", "Endpoints that connections may go to", healthy_endpoints),
    ClusterGauge("upstream_cx_pending_active", "Connections that are not open yet", _all("pending")),
    ClusterGauge("upstream_cx_retry_active", "Connections that are not open yet and whose first attempt has failed",
                 lambda members: members.state.retries),
    ClusterGauge("upstream_rq_retry_active", "Requests that are being tried again",
                 lambda members: members.state.request_retries),
    ClusterGauge("upstream_rq_pending_active", "Requests that wait for a connection", _all("pending_requests")),
    *_breakers("default"),
    ClusterGauge("circuit_breakers.default.cx_pending_open", "1 while max_pending_connections is reached",
                 _open("default", "max_pending_connections", "pending")),
    ClusterGauge("circuit_breakers.default.remaining_cx_pending", "Connections left before max_pending_connections",
                 _remaining("default", "max_pending_connections", "pending")),
    ClusterGauge("circuit_breakers.default.cx_retry_open", "1 while the retry budget is used up", _retries_open),
    *_breakers("high"),
    *(ClusterGauge(f"adaptive_concurrency.gradient_controller.{name}", told, _limit(name)) for name, told in (
        ("concurrency_limit", "The adaptive limit on requests"),
        ("gradient", "By how many thousandths the adaptive limit was multiplied last"),
        ("burst_queue_size", "What was added to it then"),
        ("min_rtt_msecs", "The least round trip, in milliseconds"),
        ("sample_rtt_msecs", "The last round trip that the adaptive limit was reckoned from, in milliseconds"),
        ("min_rtt_calculation_active", "1 while the least round trip is learned"),
    )),
    ClusterGauge("outlier_detection.ejections_active", "Endpoints that are ejected now", _ejections_active),
    ClusterGauge("health_check.healthy", "Endpoints that pass their active health checks", _checked_healthy),
)  # fmt: skip


def cluster_gauges(members: Members) -> dict[str, int]:
    """Every gauge of a cluster that has a meaning, by name."""
    values = {gauge.name: gauge.value(members) for gauge in CLUSTER_GAUGES}
    return {name: value for name, value in values.items() if value is not None}
