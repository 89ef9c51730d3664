"""Sweeps of outlier detection, with a clock that the test moves."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from structlog.testing import capture_logs

from mesh_core._testing.resilience import connect_failed, connect_succeeded
from mesh_core.config import Cluster, Endpoint, OutlierDetection, parse_address
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
        self.update(**rules)

    def update(self, **rules: Any) -> None:
        self.rules = OutlierDetection(**rules)
        self.policy = OutlierPolicy(self.rules, len(self.states))
        cluster = Cluster(name="app", endpoints=tuple(self.states), outlier_detection=self.rules)
        members = {
            name: Member(ResolvedEndpoint(name, parse_address(name), name, Endpoint(address=name)), state)
            for name, state in self.states.items()
        }
        self.sweep.update(Members(cluster, self.state, members))

    def connects(self, port: int, successes: int, failures: int) -> None:
        """So many connects, never enough failures in a row."""
        state = self.states[f"127.0.0.1:{port}"]
        for number in range(max(successes, failures)):
            if number < failures:
                connect_failed(self.policy, state, 0)
            if number < successes:
                connect_succeeded(self.policy, state)

    def eject(self, port: int, now_ms: int) -> None:
        """By failures in a row, as a worker does."""
        for _ in range(self.rules.consecutive_local_origin_failure):
            connect_failed(self.policy, self.states[f"127.0.0.1:{port}"], now_ms)

    @property
    def ejected(self) -> list[int]:
        return [int(name.rpartition(":")[2]) for name, state in self.states.items() if state.ejected]

    @property
    def counted(self) -> dict[str, int]:
        return {name.removeprefix("ejections_"): value for name, value in self.stats.read().items() if value}


def test_success_rate(log: Log) -> None:
    swept = Swept(5)
    for port in (1, 2, 3, 4):
        swept.connects(port, 100, 0)
    swept.connects(5, 50, 50)
    swept.sweep.sweep(0)
    assert swept.ejected == [5]
    assert swept.counted == {"detected_local_origin_success_rate": 1, "enforced_local_origin_success_rate": 1}
    assert [(each["event"], each["endpoint"], each["type"]) for each in log] == [
        ("endpoint ejected", "127.0.0.1:5", "success_rate")
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
    swept.sweep.tell_ejections()
    swept.eject(3, 0)
    swept.eject(7, 0)
    swept.sweep.tell_ejections()
    swept.sweep.tell_ejections()
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
