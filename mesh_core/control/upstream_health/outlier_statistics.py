"""The statistics of outlier detection: functions of numbers, without state, clock or I/O.

Source: Envoy, "Outlier detection" and its implementation.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import NamedTuple

from mesh_core.config import OutlierDetection


class Attempts(NamedTuple):
    """Requests to one endpoint, or attempts to connect, in an interval, by their outcome."""

    successes: int
    failures: int

    @property
    def volume(self) -> int:
        """All of them."""
        return self.successes + self.failures

    @property
    def success_rate(self) -> float:
        """The percentage that succeeded; of at least one attempt."""
        return 100.0 * self.successes / self.volume


def success_rate_threshold(rates: list[float], stdev_factor: int) -> float:
    """Below which success rate (percent) an endpoint is an outlier: mean - standard deviation x factor / 1000.

    `rates`: those of all endpoints that count, in percent, at least one. The deviation is that of the population.
    """
    mean = sum(rates) / len(rates)
    deviation = math.sqrt(sum((rate - mean) ** 2 for rate in rates) / len(rates))
    return mean - deviation * stdev_factor / 1000


def success_rate_outliers(attempts: Mapping[str, Attempts], rules: OutlierDetection) -> list[str]:
    """The endpoints, by name, whose success rate is below that of the others."""
    rates = {
        name: each.success_rate for name, each in attempts.items() if each.volume >= rules.success_rate_request_volume
    }
    if len(rates) < rules.success_rate_minimum_hosts:
        return []
    threshold = success_rate_threshold(list(rates.values()), rules.success_rate_stdev_factor)
    below = min(threshold, rules.success_rate_tolerated_percent)
    return [name for name, rate in rates.items() if rate < below]


def failure_percentage_outliers(attempts: Mapping[str, Attempts], rules: OutlierDetection) -> list[str]:
    """The endpoints, by name, of whose attempts too large a part failed, whatever the others do."""
    rates = {
        name: each.success_rate
        for name, each in attempts.items()
        if each.volume >= rules.failure_percentage_request_volume
    }
    if len(rates) < rules.failure_percentage_minimum_hosts:
        return []
    return [name for name, rate in rates.items() if 100 - rate >= rules.failure_percentage_threshold]


def ejection_time_ms(rules: OutlierDetection, multiplier: int, jitter_ms: int) -> int:
    """How long an ejection lasts, in milliseconds. `multiplier`: how often the endpoint was ejected lately."""
    longest = max(rules.base_ejection_time_ms, rules.max_ejection_time_ms)
    return min(rules.base_ejection_time_ms * max(multiplier, 1), longest) + jitter_ms
