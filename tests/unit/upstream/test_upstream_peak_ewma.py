"""Peak EWMA: the estimate of tower's load::PeakEwma, and the choice by it."""

from __future__ import annotations

from math import exp

import pytest
from balancing import compiled, endpoints
from hypothesis import given
from hypothesis import strategies as st

from mesh_core._testing.picks import (
    count_picks,
    estimate_at,
    estimate_pack,
    estimate_update,
    observe_connect,
    set_endpoint,
)

DECAY_MS = 10_000.0
NOW_MS = 5_000_000
TIMES = st.integers(0, 2**40)
ROUND_TRIPS = st.floats(1, 1e9)


@given(ROUND_TRIPS, TIMES, st.integers(0, 200_000))
def test_an_estimate_decays_toward_nothing(round_trip_us: float, made_ms: int, elapsed_ms: int) -> None:
    estimate = estimate_at(estimate_pack(round_trip_us, made_ms), made_ms + elapsed_ms, DECAY_MS)
    assert estimate == pytest.approx(round_trip_us * exp(-elapsed_ms / DECAY_MS), rel=1e-6)


@given(ROUND_TRIPS, ROUND_TRIPS, TIMES, st.integers(0, 200_000))
def test_a_sample_is_a_peak_or_an_average(before_us: float, sample_us: float, made_ms: int, elapsed_ms: int) -> None:
    now_ms = made_ms + elapsed_ms
    estimate = estimate_at(estimate_update(estimate_pack(before_us, made_ms), sample_us, now_ms, DECAY_MS), now_ms, 1.0)
    left = exp(-elapsed_ms / DECAY_MS)
    average = before_us * left + sample_us * (1 - left)
    assert estimate == pytest.approx(max(sample_us, average), rel=1e-6)


def test_a_clock_behind_is_no_decay() -> None:
    assert estimate_at(estimate_pack(100.0, 1000), 990, DECAY_MS) == 100


def test_nobody_is_faster_than_a_microsecond() -> None:
    assert estimate_at(estimate_pack(0.0, 1000), 1000, DECAY_MS) == 1


@pytest.mark.parametrize(
    ("round_trips_us", "active", "winner"),
    [((1000, 2000), (0, 0), 0), ((1000, 2000), (2, 0), 1), ((1000, 2000), (0, 5), 0), ((5000, 1), (0, 999), 1)],
)
def test_the_cheaper_of_two(round_trips_us: tuple[int, int], active: tuple[int, int], winner: int) -> None:
    snapshot = compiled(endpoints(2), "peak_ewma")
    for index in range(2):
        observe_connect(snapshot, 0, index, round_trips_us[index], NOW_MS)
        set_endpoint(snapshot, 0, index, active=active[index])
    counts = count_picks(snapshot, count=100, now_ms=NOW_MS)
    assert counts[winner] == 100


def test_who_was_never_tried_is_tried_in_the_end() -> None:
    """30 ms at first, less and less with time: at last less than the 1 ms of the other."""
    snapshot = compiled(endpoints(2), "peak_ewma", peak_ewma={"decay_ms": 1000})
    for index in range(2):
        set_endpoint(snapshot, 0, index, healthy_since_ms=NOW_MS)
    observe_connect(snapshot, 0, 0, 1000, NOW_MS)
    assert count_picks(snapshot, count=100, now_ms=NOW_MS)[:2] == [100, 0]
    observe_connect(snapshot, 0, 0, 1000, NOW_MS + 4000)
    assert count_picks(snapshot, count=100, now_ms=NOW_MS + 4000)[:2] == [0, 100]


def test_a_failed_connect_is_shunned_and_then_forgiven() -> None:
    snapshot = compiled(endpoints(2), "peak_ewma", peak_ewma={"decay_ms": 1000})
    observe_connect(snapshot, 0, 0, 5_000_000, NOW_MS)
    observe_connect(snapshot, 0, 1, 1000, NOW_MS)
    assert count_picks(snapshot, count=100, now_ms=NOW_MS)[:2] == [0, 100]
    observe_connect(snapshot, 0, 1, 1000, NOW_MS + 10_000)
    assert count_picks(snapshot, count=100, now_ms=NOW_MS + 10_000)[:2] == [100, 0]


def test_all_workers_and_snapshots_learn_together() -> None:
    snapshot = compiled(endpoints(2), "peak_ewma", workers=2)
    observe_connect(snapshot, 0, 0, 9000, NOW_MS)
    observe_connect(snapshot, 0, 1, 1000, NOW_MS)
    assert [count_picks(snapshot, 0, worker, count=50, now_ms=NOW_MS)[:2] for worker in (0, 1)] == [[0, 50]] * 2


def test_weights_count_beside_costs() -> None:
    """Candidates are drawn by weight: of equal cost, the heavier is taken as often as its weight says."""
    snapshot = compiled(endpoints(2, weight=[1, 3]), "peak_ewma")
    for index in range(2):
        observe_connect(snapshot, 0, index, 1000, NOW_MS)
    light, heavy, _none = count_picks(snapshot, count=40_000, now_ms=NOW_MS)
    assert heavy / (light + heavy) == pytest.approx(0.75, abs=0.01)
