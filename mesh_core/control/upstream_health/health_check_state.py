"""What the results of active health checks make of one endpoint: thresholds and intervals, without clock or I/O.

Source: Envoy, "Health checking" and HealthCheckerImplBase.
"""

from __future__ import annotations

from mesh_core.config import HealthCheck


class HealthState:
    """One endpoint. It is unhealthy until its first check passes; that one pass is enough."""

    def __init__(self) -> None:
        self.healthy = False
        self.checked = False
        self._in_a_row = 0

    def fail(self) -> None:
        """It was found to have failed by other means than a check."""
        self.healthy, self._in_a_row = False, 0

    def take(self, passed: bool, rules: HealthCheck, *, final: bool = False) -> bool:
        """Take the result of a check; whether that made a healthy endpoint unhealthy, or the other way round.

        `final`: whatever the threshold.
        """
        first, self.checked = not self.checked, True
        if passed == self.healthy:
            self._in_a_row = 0
            return False
        self._in_a_row += 1
        threshold = rules.healthy_threshold if passed else rules.unhealthy_threshold
        if self._in_a_row < threshold and not (first and passed) and not final:
            return False
        self.healthy, self._in_a_row = passed, 0
        return True


def interval_ms(rules: HealthCheck, *, healthy: bool, traffic: bool, chance: float) -> float:
    """Milliseconds until the next check. `traffic`: whether the cluster was ever used. `chance`: 0 to 1, for jitter."""
    if not traffic and rules.no_traffic_interval_ms is not None:
        base = rules.no_traffic_interval_ms
    elif not healthy and rules.unhealthy_interval_ms is not None:
        base = rules.unhealthy_interval_ms
    else:
        base = rules.interval_ms
    return base * (1 + chance * rules.interval_jitter_percent / 100)
