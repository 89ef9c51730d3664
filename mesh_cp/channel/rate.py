"""A bound on how much a proxy may say, so that one that has lost its mind costs nobody else."""

from __future__ import annotations


class TokenBucket:
    """`rate` units a second, and at most `burst` of them at once."""

    def __init__(self, rate: float, burst: float, now_s: float) -> None:
        """`now_s`: the monotonic clock, as in `take`."""
        self._rate, self._burst = rate, burst
        self._left, self._at = burst, now_s

    def take(self, amount: float, now_s: float) -> float:
        """Take so much; returns the seconds to wait until that would have been allowed, 0.0 when it is."""
        self._left = min(self._burst, self._left + (now_s - self._at) * self._rate) - amount
        self._at = now_s
        return max(0.0, -self._left / self._rate)
