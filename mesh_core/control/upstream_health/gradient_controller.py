"""The adaptive limit of one cluster: from samples of round trips to limits, in intervals and windows. No clock.

Workers keep to the limit and take the samples (mesh_core.upstream.concurrency_limit); nothing there waits for this.
Source: Envoy, GradientController.
"""

from __future__ import annotations

import math
import random

from mesh_core.config import AdaptiveConcurrency
from mesh_core.control.upstream_health.gradient import gradient, next_limit, quantile_us, window_pause_ms
from mesh_core.upstream.concurrency_limit import ConcurrencyLimit

# After so many limits in a row that were the lowest, the least round trip that is known is doubted.
LOWEST_IN_A_ROW = 5


class GradientController:
    """One cluster's limit. Does nothing by itself: `tick` is to be called at each interval.

    It begins with a window, and so with a limit, as soon as it has rules.
    """

    def __init__(self, limit: ConcurrencyLimit) -> None:
        """`limit`: what workers keep to."""
        self._limit = limit
        self._in_window = False
        self._lowest_in_a_row = 0
        self._next_window_ms = 0
        self.min_round_trip_us = 0.0
        """The least round trip in microseconds; 0 before the first is known."""
        self.sample_us = 0.0
        """The last one that the limit was reckoned from."""
        self.gradient = 1.0
        """What it was multiplied by then."""
        self.headroom = 0.0
        """What was added then."""

    def update(self, rules: AdaptiveConcurrency, now_us: int) -> None:
        """From now on these are the rules. `now_us`, here and below: the monotonic clock."""
        self._rules = rules
        if self._limit.limit == 0:
            self._limit.limit = self._bounded(rules.initial_concurrency_limit)
        if rules.min_round_trip.fixed_ms is not None:
            self._limit.close_window()
            self._in_window = False
            self.min_round_trip_us = rules.min_round_trip.fixed_ms * 1000.0
        elif not self.min_round_trip_us and not self._in_window:
            self._open_window(now_us)

    def end(self) -> None:
        """No limit any more."""
        self._limit.close_window()
        self._limit.limit = 0

    def tick(self, now_us: int) -> None:
        """Reckon the limit from what has come since the last call, or go on with a window."""
        if self._in_window:
            self._look_at_window(now_us)
            return
        samples = self._limit.take_samples()
        if samples and self.min_round_trip_us:
            self._reckon(samples)
        fixed = self._rules.min_round_trip.fixed_ms is not None
        if not fixed and (now_us // 1000 >= self._next_window_ms or self._lowest_in_a_row >= LOWEST_IN_A_ROW):
            self._open_window(now_us)

    def gauges(self) -> dict[str, int]:
        """What Envoy's gradient controller tells of itself, by its names; times in milliseconds, the gradient in
        thousandths."""
        limit = self._limit.limit
        return {
            "concurrency_limit": limit,
            "gradient": round(self.gradient * 1000),
            "burst_queue_size": round(self.headroom),
            "min_rtt_msecs": round(self.min_round_trip_us / 1000),
            "sample_rtt_msecs": round(self.sample_us / 1000),
            "min_rtt_calculation_active": int(self._in_window),
        }

    def _reckon(self, samples: dict[int, int]) -> None:
        lowest = self._rules.min_round_trip.min_concurrency
        before = self._limit.limit
        self.sample_us = quantile_us(samples, self._rules.sample_aggregate_percentile)
        self.gradient = gradient(self._rules.min_round_trip, self.min_round_trip_us, self.sample_us)
        self.headroom = math.sqrt(before * self.gradient)
        self._limit.limit = after = next_limit(self._rules, before, self.gradient)
        self._lowest_in_a_row = self._lowest_in_a_row + 1 if before == after == lowest else 0

    def _open_window(self, now_us: int) -> None:
        rules = self._rules.min_round_trip
        self._in_window = True
        self._limit.take_window_samples()
        self._limit.open_window(
            rules.min_concurrency, rules.request_count, now_us, now_us // 1000 + rules.max_window_ms
        )
        self._window_ends_ms = now_us // 1000 + rules.max_window_ms

    def _look_at_window(self, now_us: int) -> None:
        if self._limit.window_open and now_us // 1000 < self._window_ends_ms:
            return
        self._limit.close_window()
        samples = self._limit.take_window_samples()
        # Those of before the window belong to another time.
        self._limit.take_samples()
        self._in_window = False
        self._lowest_in_a_row = 0
        if samples:
            self.min_round_trip_us = max(1.0, quantile_us(samples, self._rules.sample_aggregate_percentile))
        pause_ms = window_pause_ms(self._rules.min_round_trip, random.getrandbits(32))
        self._next_window_ms = now_us // 1000 + pause_ms

    def _bounded(self, limit: int) -> int:
        rules = self._rules
        return max(rules.min_round_trip.min_concurrency, min(rules.max_concurrency_limit, limit))
