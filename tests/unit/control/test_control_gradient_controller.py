"""The adaptive limit of a cluster: what workers are let do, and what becomes of it; the test is clock and workers."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

from mesh_core._testing.resilience import (
    concurrency_enter,
    concurrency_leave,
    concurrency_sample,
    samples_contend,
)
from mesh_core.config import AdaptiveConcurrency, MinRoundTrip
from mesh_core.control.upstream_health.gradient_controller import GradientController
from mesh_core.telemetry.stats import StatsScope
from mesh_core.upstream.concurrency_limit import ConcurrencyLimit
from mesh_core.upstream.endpoint_state import ClusterState


class Controlled:
    """A cluster under a limit, with a clock in milliseconds."""

    def __init__(self, *, workers: int = 1, learn: dict[str, Any] | None = None, **rules: Any) -> None:
        self.cluster = ClusterState()
        self.stats = StatsScope("adaptive_concurrency", ("app",), workers)
        self.limit = ConcurrencyLimit(self.cluster, self.stats)
        self.controller = GradientController(self.limit)
        self.now_ms = 1000
        self.update(learn, **rules)

    def update(self, learn: dict[str, Any] | None = None, **rules: Any) -> None:
        settings = AdaptiveConcurrency(min_round_trip=MinRoundTrip(**(learn or {})), **rules)
        self.controller.update(settings, self.now_ms * 1000)

    def tick(self, pass_ms: int = 100) -> int:
        """Let time pass; the limit then."""
        self.now_ms += pass_ms
        self.controller.tick(self.now_ms * 1000)
        return self.limit.limit

    def answers(self, count: int, round_trip_us: int, begun_ms: int | None = None) -> None:
        for _ in range(count):
            begun = self.now_ms if begun_ms is None else begun_ms
            concurrency_sample(self.cluster, self.stats, begun * 1000, round_trip_us)

    @property
    def gauges(self) -> dict[str, int]:
        return self.controller.gauges()


def test_it_begins_with_a_window() -> None:
    it = Controlled()
    assert it.limit.limit == 3
    assert it.gauges["min_rtt_calculation_active"] == 1
    it.answers(49, 10_000)
    assert it.tick() == 3
    it.answers(1, 10_000)
    # The worker with the last sample restores the limit; the control thread learns of it later.
    assert it.limit.limit == 100
    assert it.tick() == 100
    assert it.gauges["min_rtt_calculation_active"] == 0
    assert it.gauges["min_rtt_msecs"] == 10


def learned(**rules: Any) -> Controlled:
    """After its window, with 10 ms for the least round trip."""
    it = Controlled(**rules)
    it.answers(50, 10_000)
    it.tick()
    return it


def test_the_limit_grows_while_round_trips_are_short() -> None:
    it = learned()
    limits = []
    for _ in range(12):
        it.answers(20, 10_000)
        limits.append(it.tick())
    assert limits[0] in range(132, 137)
    assert limits == sorted(limits)
    assert limits[-1] == 1000
    assert it.gauges["sample_rtt_msecs"] == 10


def test_it_falls_while_they_are_long() -> None:
    it = learned()
    limits = []
    for _ in range(4):
        it.answers(20, 40_000)
        limits.append(it.tick())
    assert limits == [57, 33, 20, 13]
    assert it.gauges["gradient"] == 500


def test_without_samples_it_stays() -> None:
    it = learned()
    assert [it.tick() for _ in range(5)] == [100] * 5


def test_samples_of_before_a_window_do_not_count() -> None:
    it = Controlled()
    it.answers(100, 900_000, begun_ms=500)
    it.answers(50, 10_000)
    it.tick()
    assert it.gauges["min_rtt_msecs"] == 10
    it.answers(10, 900_000, begun_ms=500)
    assert it.tick() == 100


def test_the_next_window() -> None:
    it = learned(learn={"interval_ms": 1000, "jitter_percent": 0})
    for _ in range(9):
        it.answers(10, 12_500)
        it.tick()
    grown = it.limit.limit
    it.answers(10, 12_500)
    it.tick()
    assert (it.limit.limit, it.gauges["min_rtt_calculation_active"]) == (3, 1)
    it.answers(50, 20_000)
    assert it.tick() >= grown
    assert it.gauges["min_rtt_msecs"] in (19, 20, 21)


def test_five_times_the_lowest_limit_is_a_reason_to_doubt() -> None:
    it = learned(initial_concurrency_limit=3)
    for _ in range(5):
        assert it.gauges["min_rtt_calculation_active"] == 0
        it.answers(10, 40_000)
        it.tick()
    assert it.gauges["min_rtt_calculation_active"] == 1
    it.answers(50, 40_000)
    it.tick()
    it.answers(10, 40_000)
    assert it.tick() > 3


def test_a_window_ends_in_time() -> None:
    """With what there is; with nothing, by the first request that it would refuse."""
    it = Controlled(learn={"max_window_ms": 300})
    it.answers(2, 5_000)
    it.tick(200)
    assert it.gauges["min_rtt_calculation_active"] == 1
    it.tick(100)
    assert (it.gauges["min_rtt_calculation_active"], it.gauges["min_rtt_msecs"]) == (0, 5)
    assert it.limit.limit == 100


def test_workers_end_a_window_that_the_control_thread_forgot() -> None:
    it = Controlled(learn={"max_window_ms": 300})
    assert [concurrency_enter(it.cluster, 1000) for _ in range(5)] == [True] * 3 + [False] * 2
    assert concurrency_enter(it.cluster, 1300)
    assert it.limit.limit == 100
    assert it.limit.active == 4
    for _ in range(4):
        concurrency_leave(it.cluster)


def test_a_fixed_least_round_trip() -> None:
    it = Controlled(learn={"fixed_ms": 10}, initial_concurrency_limit=20)
    assert it.limit.limit == 20
    it.answers(10, 12_500)
    assert it.tick() in (23, 24, 25)
    assert it.gauges["min_rtt_calculation_active"] == 0
    it.tick(10_000_000)
    assert it.gauges["min_rtt_calculation_active"] == 0


def test_other_rules() -> None:
    it = learned()
    it.update({"fixed_ms": 20})
    assert it.gauges["min_rtt_msecs"] == 20
    it.controller.end()
    assert it.limit.limit == 0
    assert all(concurrency_enter(it.cluster) for _ in range(2000))


def test_workers_together() -> None:
    """No place is lost, no sample is counted twice, and the window is closed once."""
    it = Controlled(workers=4, learn={"request_count": 5000})
    it.limit.close_window()
    it.limit.open_window(3, 5000, 0, 10**9)
    with ThreadPoolExecutor(4) as pool:
        entered = list(pool.map(lambda worker: samples_contend(it.cluster, it.stats, worker, 20_000), range(4)))
    assert it.limit.active == 0
    assert it.limit.limit > 3
    windows, others = it.limit.take_window_samples(), it.limit.take_samples()
    assert sum(windows.values()) == 5000
    assert sum(windows.values()) + sum(others.values()) == sum(entered)
