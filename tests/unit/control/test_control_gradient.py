"""The formulas of adaptive concurrency, by value tables."""

from __future__ import annotations

import bisect

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mesh_core._testing.resilience import round_trip_bucket
from mesh_core.config import AdaptiveConcurrency, MinRoundTrip
from mesh_core.control.upstream_health.gradient import gradient, next_limit, quantile_us, window_pause_ms
from mesh_core.upstream.concurrency_limit import BUCKET_BEGINS_US


@given(st.integers(0, 2**33 - 1))
def test_buckets(value: int) -> None:
    """Each value is in the bucket that begins at or below it, and none is wider than a sixteenth."""
    bucket = round_trip_bucket(value)
    assert bucket == bisect.bisect_right(BUCKET_BEGINS_US, value) - 1
    assert value - BUCKET_BEGINS_US[bucket] <= value / 16


def test_bucket_ends() -> None:
    assert len(BUCKET_BEGINS_US) == 480
    assert list(BUCKET_BEGINS_US) == sorted(set(BUCKET_BEGINS_US))
    assert round_trip_bucket(-1) == 0
    assert round_trip_bucket(2**62) == 479


@pytest.mark.parametrize(
    ("values", "percentile", "result"),
    [([10], 50, 10.5), ([10], 0, 10), ([10], 100, 11), ([1, 2, 3, 4], 50, 3), ([1, 2, 3, 4], 25, 2),
     ([1, 2, 3, 4], 90, 4.6), ([32, 33, 1000, 1000], 50, 34), ([5] * 99 + [1000], 99, 6), ([2**40], 50, 31 << 28)],
)  # fmt: skip
def test_quantiles(values: list[int], percentile: int, result: float) -> None:
    counts: dict[int, int] = {}
    for value in sorted(values):
        counts[round_trip_bucket(value)] = counts.get(round_trip_bucket(value), 0) + 1
    assert quantile_us(counts, percentile) == pytest.approx(result)


def test_no_samples_have_no_quantile() -> None:
    with pytest.raises(ValueError, match="no samples"):
        quantile_us({}, 50)


@pytest.mark.parametrize(
    ("least", "sample", "buffer", "result"),
    [(100, 100, 25, 1.25), (100, 125, 25, 1.0), (100, 200, 25, 0.625), (100, 1000, 25, 0.5), (100, 10, 25, 2.0),
     (100, 200, 0, 0.5), (100, 200, 100, 1.0), (100, 0, 25, 2.0)],
)  # fmt: skip
def test_gradients(least: float, sample: float, buffer: int, result: float) -> None:
    assert gradient(MinRoundTrip(buffer_percent=buffer), least, sample) == pytest.approx(result)


@pytest.mark.parametrize(
    ("limit", "by", "result"),
    [(100, 1.0, 110), (100, 1.25, 136), (100, 0.5, 57), (4, 1.0, 6), (3, 0.5, 3), (3, 2.0, 8), (900, 2.0, 1000)],
)
def test_limits(limit: int, by: float, result: int) -> None:
    """limit x gradient + its square root, cut, within 3 and 1000."""
    assert next_limit(AdaptiveConcurrency(), limit, by) == result


@pytest.mark.parametrize(
    ("interval", "percent", "random", "result"),
    [(60_000, 15, 0, 60_000), (60_000, 15, 8999, 68_999), (60_000, 15, 9000, 60_000), (60_000, 0, 5, 60_000),
     (10, 15, 1, 11), (10, 15, 2, 10)],
)  # fmt: skip
def test_pauses_between_windows(interval: int, percent: int, random: int, result: int) -> None:
    assert window_pause_ms(MinRoundTrip(interval_ms=interval, jitter_percent=percent), random) == result
