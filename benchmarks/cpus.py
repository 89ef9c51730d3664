"""Which processor each part of a measurement runs on."""

import os
from dataclasses import dataclass
from enum import StrEnum


class Arrangement(StrEnum):
    """How load, proxy and origin share the machine."""

    ONE_CPU = "one CPU"  # all three on one: no wake-ups across processors, which can cost much
    TWO_CPUS = "two CPUs"  # the proxy has one for itself, load and origin share another


@dataclass(frozen=True)
class Cpus:
    """The processors for the proxy, and for the load and the origin."""

    proxy: frozenset[int]
    rest: frozenset[int]


def assign(arrangement: Arrangement, allowed: frozenset[int] | None = None) -> Cpus:
    """Choose processors among those that this process may use; on a single one, everything shares it."""
    usable = sorted(allowed if allowed is not None else os.sched_getaffinity(0))
    last = frozenset({usable[-1]})
    if arrangement is Arrangement.ONE_CPU:
        return Cpus(last, last)
    return Cpus(last, frozenset({usable[0]}))
