"""The formulas of adaptive concurrency: functions of numbers, without state, clock or I/O.

Source: Envoy, "Adaptive Concurrency" and its GradientController.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

from mesh_core.config import AdaptiveConcurrency, MinRoundTrip
from mesh_core.upstream.concurrency_limit import BUCKET_BEGINS_US

# Between two reckonings the limit at most halves or doubles, the headroom aside.
GRADIENT_LEAST, GRADIENT_MOST = 0.5, 2.0


def quantile_us(counts: Mapping[int, int], percentile: int) -> float:
    """The time in microseconds that `percentile` percent of the samples did not exceed; of at least one sample.

    `counts`: how many samples are in each bucket of a histogram of round trips, in order. Within its bucket they count
    as evenly spread.
    """
    rank = sum(counts.values()) * percentile / 100
    below = 0
    for bucket, count in counts.items():
        if below + count >= rank:
            begin, end = _bounds_us(bucket)
            return begin + (end - begin) * max(0.0, rank - below) / count
        below += count
    raise ValueError("no samples")


def _bounds_us(bucket: int) -> tuple[int, int]:
    begin = BUCKET_BEGINS_US[bucket]
    last = bucket + 1 == len(BUCKET_BEGINS_US)
    return begin, begin if last else BUCKET_BEGINS_US[bucket + 1]


def gradient(rules: MinRoundTrip, min_round_trip_us: float, sample_us: float) -> float:
    """By what the limit is multiplied: (least round trip + buffer) / sample, within bounds."""
    buffered_us = min_round_trip_us * (1 + rules.buffer_percent / 100)
    return max(GRADIENT_LEAST, min(GRADIENT_MOST, buffered_us / max(sample_us, 1.0)))


def next_limit(rules: AdaptiveConcurrency, limit: int, by: float) -> int:
    """The limit after one of `limit` and a gradient of `by`: its product, and the square root of that as headroom."""
    grown = limit * by
    return max(rules.min_round_trip.min_concurrency, min(rules.max_concurrency_limit, int(grown + math.sqrt(grown))))


def window_pause_ms(rules: MinRoundTrip, random: int) -> int:
    """Milliseconds until the next window. `random`: of at least 32 bits, for jitter."""
    jitter_ms = math.ceil(rules.interval_ms * rules.jitter_percent / 100)
    return rules.interval_ms + (random % jitter_ms if jitter_ms else 0)
