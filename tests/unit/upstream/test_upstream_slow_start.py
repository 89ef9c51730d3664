"""Slow start: Envoy's formula, and weights that grow with time."""

from __future__ import annotations

import pytest
from balancing import compiled, endpoints, fail, recover

from mesh_core._testing.picks import count_picks, set_endpoint, slow_start_factor

NOW_MS = 10_000_000
WINDOW_MS = 10_000


@pytest.mark.parametrize(
    ("healthy_ms", "aggression", "factor"),
    [(0, 1.0, 0.1), (500, 1.0, 0.1), (1000, 1.0, 0.1), (5000, 1.0, 0.5), (9000, 1.0, 0.9), (10_000, 1.0, 1.0),
     (99_999, 1.0, 1.0), (2500, 2.0, 0.5), (5000, 0.5, 0.25), (-5, 1.0, 0.1)],
)  # fmt: skip
def test_the_formula(healthy_ms: int, aggression: float, factor: float) -> None:
    assert slow_start_factor(healthy_ms, WINDOW_MS, aggression, 0.1) == pytest.approx(factor)


def test_at_least_a_millisecond_counts() -> None:
    assert slow_start_factor(0, WINDOW_MS, 1.0, 0.0) == pytest.approx(1 / WINDOW_MS)


@pytest.mark.parametrize("balancer", ["round_robin", "random", "least_request"])
def test_a_new_endpoint_grows_to_its_share(balancer: str) -> None:
    snapshot = compiled(endpoints(2, weight=3), balancer, slow_start={"window_ms": WINDOW_MS})
    set_endpoint(snapshot, 0, 0, healthy_since_ms=0)
    set_endpoint(snapshot, 0, 1, healthy_since_ms=NOW_MS)
    for elapsed_ms, factor in [(0, 0.1), (3000, 0.3), (5000, 0.5), (9900, 0.99), (10_000, 1.0), (60_000, 1.0)]:
        old, new, _none = count_picks(snapshot, count=20_000, now_ms=NOW_MS + elapsed_ms)
        assert new / (old + new) == pytest.approx(factor / (1 + factor), abs=0.02)


def test_weights_are_computed_at_a_coarse_interval() -> None:
    """After the window has begun, a pick 100 ms later goes by the same weights, one 200 ms later by new ones."""
    snapshot = compiled(endpoints(2), slow_start={"window_ms": WINDOW_MS, "minimum_weight_percent": 0.01})
    set_endpoint(snapshot, 0, 0, healthy_since_ms=0)
    set_endpoint(snapshot, 0, 1, healthy_since_ms=NOW_MS)
    shares = [count_picks(snapshot, count=100_000, now_ms=NOW_MS + elapsed_ms)[1] for elapsed_ms in (100, 299, 300)]
    assert abs(shares[0] - shares[1]) <= 4
    assert shares[2] > 2 * shares[0]


def test_who_recovers_begins_slowly_too() -> None:
    snapshot = compiled(endpoints(4), slow_start={"window_ms": 2**31 - 1})
    for index in range(4):
        set_endpoint(snapshot, 0, index, healthy_since_ms=-(2**40))
    assert count_picks(snapshot, count=4000)[:4] == [1000] * 4
    fail(snapshot, 3)
    recover(snapshot, 3)
    assert count_picks(snapshot, count=3100)[3] == pytest.approx(100, abs=3)


def test_when_all_are_new_nobody_is_slow() -> None:
    snapshot = compiled(endpoints(3), slow_start={"window_ms": 2**31 - 1})
    assert count_picks(snapshot, count=300)[:3] == [100] * 3
