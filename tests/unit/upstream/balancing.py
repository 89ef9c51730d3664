"""Compiled clusters for the tests of load balancing, and what chance may do to their shares."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from mesh_core._testing.picks import set_endpoint
from mesh_core.config import load_builtins
from mesh_core.control.compiler import Compiler
from mesh_core.control.endpoints import configured_endpoints
from mesh_core.snapshot.snapshot import Snapshot
from mesh_core.telemetry.stats import StatsRegistry

BALANCERS = ["round_robin", "least_request", "random", "ring_hash", "maglev", "peak_ewma"]
HASHING = ["ring_hash", "maglev"]
DRAWING = ["least_request", "random", "peak_ewma"]

Endpoint = dict[str, Any]


def endpoints(count: int, **more: Any) -> list[Endpoint]:
    """So many endpoints with addresses of their own; `more` of each is a value, or a list of one for each."""
    return [
        {"address": f"10.{number >> 16}.{number >> 8 & 255}.{number & 255}:80"}
        | {key: value[number] if isinstance(value, list) else value for key, value in more.items()}
        for number in range(count)
    ]


def compiled(
    entries: Sequence[Endpoint | str],
    balancer: str = "round_robin",
    *,
    workers: int = 1,
    listeners: Sequence[dict[str, Any]] = (),
    compiler: Compiler | None = None,
    **cluster: Any,
) -> Snapshot:
    """A snapshot with one cluster of these endpoints."""
    described = {"name": "app", "endpoints": list(entries), "load_balancer": balancer, **cluster}
    config = load_builtins({"clusters": [described], "listeners": list(listeners)})
    made = compiler or Compiler(workers, StatsRegistry(workers))
    return made.compile(config, {}, configured_endpoints(config))


def fail(snapshot: Snapshot, *which: int) -> None:
    """Let these endpoints fail their health checks."""
    for index in which:
        set_endpoint(snapshot, 0, index, unhealthy=True)


def recover(snapshot: Snapshot, *which: int) -> None:
    """Let these endpoints pass their health checks again."""
    for index in which:
        set_endpoint(snapshot, 0, index, unhealthy=False)


def chi_square(counts: Sequence[int], weights: Sequence[float]) -> float:
    """Pearson's statistic of `counts` against shares by `weights`, as a distance in standard deviations of chance.

    Chance alone is beyond 5 less than once in ten thousand times; seeds are fixed, so a test that passes goes on to.
    """
    total, whole = sum(counts), sum(weights)
    wanted = [total * weight / whole for weight in weights]
    assert all(count == 0 for count, each in zip(counts, wanted, strict=True) if each == 0)
    statistic = sum((count - each) ** 2 / each for count, each in zip(counts, wanted, strict=True) if each)
    freedom = sum(1 for each in wanted if each) - 1
    return (statistic - freedom) / (2 * freedom) ** 0.5
