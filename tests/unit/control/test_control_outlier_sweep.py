"""Sweeps of outlier detection, with a clock that the test moves."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from structlog.testing import capture_logs

from mesh_core._testing.resilience import connect_failed, connect_succeeded, note, probe
from mesh_core.config import (
    Accrual,
    Cluster,
    Endpoint,
    HealthCheck,
    HttpHealthCheck,
    OutlierDetection,
    Payload,
    parse_address,
)
from mesh_core.control.endpoints import ResolvedEndpoint
from mesh_core.control.upstream_health.members import Member, Members
from mesh_core.control.upstream_health.outlier_sweep import OutlierSweep
from mesh_core.telemetry.stats import StatsScope
from mesh_core.upstream.endpoint_state import ClusterState, EndpointState
from mesh_core.upstream.outlier_detection import OutlierPolicy

Log = list[Any]


@pytest.fixture(autouse=True)
def log() -> Iterator[Log]:
    """What is logged."""
    with capture_logs() as entries:
        yield entries


class Swept:
    """A cluster of `count` endpoints under sweeps."""

    def __init__(self, count: int, **rules: Any) -> None:
        self.stats = StatsScope("outlier_detection", ("app",), 1)
        self.sweep = OutlierSweep(self.stats)
        self.state = ClusterState()
        self.states = {f"127.0.0.1:{port}": EndpointState(self.state) for port in range(1, count + 1)}
        self.attempts = {name: StatsScope("endpoint", ("app", name), 1) for name in self.states}
        self.checks: tuple[HealthCheck, ...] = ()
        self.update(**rules)

    def update(self, **rules: Any) -> None:
        self.rules = OutlierDetection(**rules)
        self.policy = OutlierPolicy(self.rules, len(self.states))
        cluster = Cluster(
            name="app", endpoints=tuple(self.states), outlier_detection=self.rules, health_checks=self.checks
        )
        found = {
            name: ResolvedEndpoint(name, parse_address(name), name, Endpoint(address=name)) for name in self.states
        }
        members = {name: Member(found[name], state, self.attempts[name]) for name, state in self.states.items()}
        self.sweep.update(Members(cluster, self.state, members))

    def connects(self, port: int, successes: int, failures: int) -> None:
        """So many connects, never enough failures in a row."""
        state = self.states[f"127.0.0.1:{port}"]
        for number in range(max(successes, failures)):
            if number < failures:
                connect_failed(self.policy, state, 0)
            if number < successes:
                connect_succeeded(self.policy, state)

    def requests(self, port: int, answered: int = 0, errors: int = 0, failed: int = 0) -> None:
        """So many attempts of requests, as workers count them."""
        stats = self.attempts[f"127.0.0.1:{port}"]
        for name, count in (("answered", answered), ("error", errors), ("failed", failed)):
            for _ in range(count):
                stats.count(f"attempt_{name}")

    def eject(self, port: int, now_ms: int) -> None:
        """By failures in a row, as a worker does."""
        for _ in range(self.rules.consecutive_local_origin_failure):
            connect_failed(self.policy, self.states[f"127.0.0.1:{port}"], now_ms)

    @property
    def ejected(self) -> list[int]:
        return [int(name.rpartition(":")[2]) for name, state in self.states.items() if state.ejected]

    @property
    def counted(self) -> dict[str, int]:
        counted = {name.removeprefix("ejections_"): value for name, value in self.stats.read().items() if value}
        counted.pop("enforced_total", None)
        return counted


def test_success_rate(log: Log) -> None:
    swept = Swept(5)
    for port in (1, 2, 3, 4):
        swept.connects(port, 100, 0)
    swept.connects(5, 50, 50)
    swept.sweep.sweep(0)
    assert swept.ejected == [5]
    assert swept.counted == {"detected_local_origin_success_rate": 1, "enforced_local_origin_success_rate": 1}
    assert [(each["event"], each["endpoint"], each["type"]) for each in log] == [
        ("endpoint ejected", "127.0.0.1:5", "local_origin_success_rate")
    ]


def test_an_interval_counts_by_itself() -> None:
    swept = Swept(5)
    for now_ms in (0, 10_000):
        for port in (1, 2, 3, 4):
            swept.connects(port, 60, 0)
        swept.connects(5, 30, 30)
        swept.sweep.sweep(now_ms)
    assert swept.ejected == []


def test_success_rate_is_only_counted() -> None:
    swept = Swept(5, enforcing_local_origin_success_rate=0)
    for port in (1, 2, 3, 4):
        swept.connects(port, 100, 0)
    swept.connects(5, 50, 50)
    swept.sweep.sweep(0)
    assert swept.ejected == []
    assert swept.counted == {"detected_local_origin_success_rate": 1}


def test_failure_percentage_is_not_enforced_by_default() -> None:
    swept = Swept(5, consecutive_local_origin_failure=1000)
    for port in (1, 2, 3, 4, 5):
        swept.connects(port, 0, 50)
    swept.sweep.sweep(0)
    assert swept.ejected == []
    # With nothing ejected there is room for each.
    assert swept.counted == {"detected_local_origin_failure_percentage": 5}


def test_failure_percentage_up_to_the_most() -> None:
    swept = Swept(
        5,
        consecutive_local_origin_failure=1000,
        enforcing_failure_percentage_local_origin=100,
        max_ejection_percent=40,
    )
    for port in (1, 2, 3, 4, 5):
        swept.connects(port, 0, 50)
    swept.sweep.sweep(0)
    assert swept.ejected == [1, 2]
    assert swept.counted == {
        "overflow": 3,
        "detected_local_origin_failure_percentage": 5,
        "enforced_local_origin_failure_percentage": 2,
    }


def test_times_grow_and_fall() -> None:
    swept = Swept(1, base_ejection_time_ms=1000, max_ejection_time_ms=2500)
    now_ms = 0
    for lasts_ms in (1000, 2000, 2500, 2500):
        swept.eject(1, now_ms)
        swept.sweep.sweep(now_ms + lasts_ms - 1)
        assert swept.ejected == [1], lasts_ms
        swept.sweep.sweep(now_ms + lasts_ms)
        assert swept.ejected == [], lasts_ms
        now_ms += lasts_ms
    state = swept.states["127.0.0.1:1"]
    assert state.ejection_multiplier == 3
    swept.sweep.sweep(now_ms)
    swept.sweep.sweep(now_ms)
    assert state.ejection_multiplier == 1
    swept.eject(1, now_ms)
    swept.sweep.sweep(now_ms + 1999)
    assert swept.ejected == [1]
    swept.sweep.sweep(now_ms + 2000)
    assert swept.ejected == []
    assert state.ejections == 5


def test_what_a_worker_ejects_is_told_once(log: Log) -> None:
    swept = Swept(10, max_ejection_percent=30)
    swept.sweep.tell()
    swept.eject(3, 0)
    swept.eject(7, 0)
    swept.sweep.tell()
    swept.sweep.tell()
    assert [(each["endpoint"], each["type"], each["for_ms"]) for each in log] == [
        ("127.0.0.1:3", "consecutive_local_origin_failure", 30_000),
        ("127.0.0.1:7", "consecutive_local_origin_failure", 30_000),
    ]
    swept.eject(4, 0)
    swept.sweep.sweep(1)
    assert [each["endpoint"] for each in log][2:] == ["127.0.0.1:4"]


def test_return_is_told(log: Log) -> None:
    swept = Swept(1)
    swept.eject(1, 0)
    swept.sweep.sweep(30_000)
    assert [each["event"] for each in log] == ["endpoint ejected", "endpoint returned"]


@pytest.mark.parametrize("returns", [True, False])
def test_a_passed_health_check_lets_it_return(returns: bool) -> None:
    swept = Swept(1, successful_active_health_check_uneject_host=returns)
    swept.eject(1, 0)
    swept.sweep.passed_health_check("127.0.0.1:1")
    assert swept.ejected == ([] if returns else [1])
    swept.sweep.passed_health_check("127.0.0.1:9")


def test_the_end_lets_all_return() -> None:
    swept = Swept(3, max_ejection_percent=100)
    for port in (1, 2):
        swept.eject(port, 0)
    swept.sweep.end()
    assert swept.ejected == []
    assert swept.state.ejected == 0


def test_an_endpoint_that_leaves_gives_its_place_to_others() -> None:
    swept = Swept(3)
    swept.eject(1, 0)
    swept.eject(2, 0)
    assert swept.ejected == [1]
    gone = swept.states.pop("127.0.0.1:1")
    swept.update()
    assert not gone.ejected
    swept.eject(2, 0)
    assert swept.ejected == [2]


# --- requests ---

def test_success_rate_of_requests() -> None:
    """Whatever was not answered by a status below 500 is a failure, unless what was not answered counts apart."""
    swept = Swept(5)
    for port in (1, 2, 3, 4):
        swept.requests(port, answered=100)
    swept.requests(5, answered=50, errors=25, failed=25)
    swept.sweep.sweep(0)
    assert swept.counted == {"detected_success_rate": 1, "enforced_success_rate": 1}
    assert swept.ejected == [5]


def test_local_origin_apart() -> None:
    """To the origin it did well; it just was not there often enough."""
    swept = Swept(5, split_external_local_origin_errors=True)
    for port in (1, 2, 3, 4):
        swept.requests(port, answered=100, errors=10)
    swept.requests(5, answered=100, errors=10, failed=50)
    swept.sweep.sweep(0)
    assert swept.counted == {"detected_local_origin_success_rate": 1, "enforced_local_origin_success_rate": 1}


def test_an_interval_of_requests_counts_by_itself() -> None:
    swept = Swept(5)
    for now_ms in (0, 10_000):
        for port in (1, 2, 3, 4):
            swept.requests(port, answered=60)
        swept.requests(5, answered=30, errors=30)
        swept.sweep.sweep(now_ms)
    assert swept.ejected == []


def test_what_was_before_outlier_detection_does_not_count() -> None:
    swept = Swept(5)
    for port in (1, 2, 3, 4, 5):
        swept.requests(port, answered=100 if port < 5 else 10, errors=90 if port == 5 else 0)
    fresh = OutlierSweep(StatsScope("outlier_detection", ("app",), 1))
    swept.sweep = fresh
    swept.update()
    swept.sweep.sweep(0)
    assert swept.ejected == []


def test_failure_percentage_of_requests() -> None:
    swept = Swept(5, enforcing_failure_percentage=100, success_rate_minimum_hosts=9)
    for port in (1, 2, 3, 4):
        swept.requests(port, answered=20, errors=30)
    swept.requests(5, answered=7, errors=21, failed=22)
    swept.sweep.sweep(0)
    assert swept.counted == {"detected_failure_percentage": 1, "enforced_failure_percentage": 1}
    assert swept.ejected == [5]


# --- returns ---

def test_when_the_next_one_returns() -> None:
    swept = Swept(10, max_ejection_percent=100, base_ejection_time_ms=1000)
    assert swept.sweep.let_return(0) is None
    swept.eject(1, 100)
    swept.eject(2, 50)
    assert swept.sweep.let_return(200) == 1050
    assert swept.sweep.let_return(1050) == 1100
    assert swept.ejected == [1]
    assert swept.sweep.let_return(1100) is None


def test_accrual_has_no_end(log: Log) -> None:
    """Neither sweeps nor time let it return, but a request that succeeds; that is told."""
    swept = Swept(10, accrual=Accrual(consecutive_failures=1, jitter_percent=0), base_ejection_time_ms=1)
    state = swept.states["127.0.0.1:3"]
    note(swept.policy, state, "error", 5000)
    assert swept.sweep.let_return(6_000_000) is None
    swept.sweep.sweep(7_000_000)
    assert swept.ejected == [3]
    assert (log[0]["type"], log[0]["for_ms"]) == ("consecutive_failures", 1000)
    assert probe(swept.policy, state, 7_000_000)
    note(swept.policy, state, "answered", 7_000_000)
    swept.sweep.tell()
    assert [(each["event"], each.get("reason")) for each in log][1:] == [("endpoint returned", "a request succeeded")]


def test_accrual_that_comes_later() -> None:
    swept = Swept(10)
    swept.eject(1, 0)
    swept.sweep.sweep(1)
    swept.update(accrual=Accrual())
    swept.sweep.sweep(5000)
    assert probe(swept.policy, swept.states["127.0.0.1:1"], 5000)


# --- passed health checks ---

CONNECTS, ASKS = HealthCheck(type="tcp"), HealthCheck(type="tcp", receive=(Payload(text="+"),))
HTTP = HealthCheck(type="http", http=HttpHealthCheck(path="/"))


@pytest.mark.parametrize(
    ("check", "result", "split", "returns"),
    [(CONNECTS, "connect_failed", False, True), (CONNECTS, "error", False, False),
     (CONNECTS, "local_failure", False, False), (CONNECTS, "local_failure", True, False),
     (ASKS, "error", False, True), (HTTP, "error", False, True), (HTTP, "local_failure", True, True)],
)  # fmt: skip
@pytest.mark.parametrize("told", [True, False])
def test_a_check_must_speak_against_the_reason(
    check: HealthCheck, result: str, split: bool, returns: bool, told: bool
) -> None:
    swept = Swept(10)
    swept.checks = (check,)
    swept.update(split_external_local_origin_errors=split)
    for _ in range(5):
        note(swept.policy, swept.states["127.0.0.1:1"], result, 0)
    assert swept.ejected == [1]
    if told:
        swept.sweep.tell()
    swept.sweep.passed_health_check("127.0.0.1:1")
    assert swept.ejected == ([] if returns else [1])
