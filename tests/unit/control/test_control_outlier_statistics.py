"""The statistics of outlier detection, against figures computed by hand."""

from __future__ import annotations

import math

import pytest

from mesh_core.config import OutlierDetection
from mesh_core.control.upstream_health.outlier_statistics import (
    Attempts,
    ejection_time_ms,
    failure_percentage_outliers,
    success_rate_outliers,
    success_rate_threshold,
)

RULES = OutlierDetection()


def test_threshold_of_envoys_example() -> None:
    """Rates 100, 100, 100, 100, 50: mean 90, variance (4 x 100 + 1600) / 5 = 400, deviation 20."""
    assert success_rate_threshold([100, 100, 100, 100, 50], 1900) == pytest.approx(52)
    assert success_rate_threshold([100, 100, 100, 100, 50], 1000) == pytest.approx(70)
    assert success_rate_threshold([100, 100, 100, 100, 50], 0) == pytest.approx(90)


def test_threshold_of_equal_rates_is_their_rate() -> None:
    assert success_rate_threshold([80, 80, 80], 1900) == 80


def connects(*rates: int, volume: int = 100) -> dict[str, Attempts]:
    return {f"e{number}": Attempts(rate * volume // 100, volume - rate * volume // 100)
            for number, rate in enumerate(rates)}  # fmt: skip


def test_the_one_below_the_threshold() -> None:
    """Mean 90, deviation 20, threshold 52: 50 is below it."""
    assert success_rate_outliers(connects(100, 100, 100, 100, 50), RULES) == ["e4"]


def test_on_the_threshold_is_no_outlier() -> None:
    """Mean 90, deviation 20: with a factor of 2000 the threshold is 50."""
    rules = OutlierDetection(success_rate_stdev_factor=2000)
    assert success_rate_outliers(connects(100, 100, 100, 100, 50), rules) == []


def test_nearly_perfect_is_good_enough() -> None:
    """Rates 100, 100, 100, 100, 96: the threshold is 96.16, and yet four failures in a hundred are no reason."""
    given = connects(100, 100, 100, 100, 96)
    assert success_rate_outliers(given, RULES) == []
    assert success_rate_outliers(given, OutlierDetection(success_rate_tolerated_percent=100)) == ["e4"]
    assert success_rate_outliers(connects(100, 100, 100, 100, 94), RULES) == ["e4"]
    assert success_rate_outliers(connects(100, 100, 100, 100, 95), RULES) == []


def test_equal_rates_have_no_outlier() -> None:
    assert success_rate_outliers(connects(10, 10, 10, 10, 10, 10), RULES) == []


def test_too_few_endpoints() -> None:
    assert success_rate_outliers(connects(100, 100, 100, 50), RULES) == []
    few = connects(100, 100, 100, 100) | {"rare": Attempts(0, 99)}
    assert success_rate_outliers(few, RULES) == []


def test_those_with_too_few_connects_do_not_count() -> None:
    given = connects(100, 100, 100, 100, 50) | {"rare": Attempts(0, 99), "never": Attempts(0, 0)}
    assert success_rate_outliers(given, RULES) == ["e4"]


def test_failure_percentage() -> None:
    """15 % succeeded is 85 % failed, which is the threshold."""
    given = connects(100, 100, 100, 15, 16)
    assert failure_percentage_outliers(given, RULES) == ["e3"]


def test_all_may_fail() -> None:
    given = connects(0, 0, 0, 0, 0, volume=50)
    assert failure_percentage_outliers(given, RULES) == list(given)
    assert failure_percentage_outliers(connects(0, 0, 0, 0, 0, volume=49), RULES) == []
    assert failure_percentage_outliers(connects(0, 0, 0, 0, volume=50), RULES) == []


@pytest.mark.parametrize(
    ("multiplier", "jitter_ms", "lasts_ms"),
    [(0, 0, 30_000), (1, 0, 30_000), (2, 500, 60_500), (10, 0, 300_000), (11, 7, 300_007)],
)
def test_ejection_time(multiplier: int, jitter_ms: int, lasts_ms: int) -> None:
    assert ejection_time_ms(RULES, multiplier, jitter_ms) == lasts_ms


def test_a_base_above_the_longest_counts() -> None:
    rules = OutlierDetection(base_ejection_time_ms=1000, max_ejection_time_ms=10)
    assert ejection_time_ms(rules, 5, 0) == 1000


def test_the_deviation_is_that_of_the_population() -> None:
    assert success_rate_threshold([0, 100], 1000) == pytest.approx(50 - math.sqrt(2500))
