"""The arithmetic: medians with their ranges, and ratios paired by round."""

import statistics
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

ByRound = Mapping[int, float]


@dataclass(frozen=True)
class Spread:
    """The median of some values, the smallest and the largest, and how many there were."""

    median: float
    low: float
    high: float
    count: int

    @classmethod
    def of(cls, values: Iterable[float]) -> "Spread | None":
        """Return the spread of ``values``; None when there are none."""
        known = list(values)
        if not known:
            return None
        return cls(statistics.median(known), min(known), max(known), len(known))


def paired(left: ByRound, right: ByRound, combine: Callable[[float, float], float]) -> Spread | None:
    """Return the spread of ``combine(left, right)`` over the rounds that have both; None when none has."""
    return Spread.of(combine(left[number], right[number]) for number in sorted(left.keys() & right.keys()))


def paired_ratio(left: ByRound, right: ByRound) -> Spread | None:
    """Return the spread of left over right, by round: what moves the whole machine moves both and cancels.

    Rounds in which ``right`` is not positive are left out, for they have no ratio.
    """
    positive = {number: value for number, value in right.items() if value > 0}
    return paired(left, positive, lambda a, b: a / b)


def paired_difference(left: ByRound, right: ByRound) -> Spread | None:
    """Return the spread of left minus right, by round."""
    return paired(left, right, lambda a, b: a - b)
