"""Round robin, through the table of functions that every balancer fills in."""

from __future__ import annotations

from collections import Counter

import pytest

from mesh_core._testing.picks import pick_endpoint
from mesh_core.config import load_builtins
from mesh_core.control.compiler import Compiler
from mesh_core.control.endpoints import configured_endpoints
from mesh_core.snapshot.snapshot import Snapshot
from mesh_core.telemetry.stats import StatsRegistry


def compiled(endpoints: int, workers: int) -> Snapshot:
    addresses = [f"127.0.0.1:{port}" for port in range(1, endpoints + 1)]
    config = load_builtins({"clusters": [{"name": "app", "endpoints": addresses}]})
    return Compiler(workers, StatsRegistry(workers)).compile(config, {}, configured_endpoints(config))


@pytest.mark.parametrize("endpoints", [1, 2, 3, 7])
def test_each_in_turn(endpoints: int) -> None:
    snapshot = compiled(endpoints, 1)
    picked = [pick_endpoint(snapshot, 0, 0) for _ in range(3 * endpoints)]
    assert picked == [f"127.0.0.1:{port}" for port in range(1, endpoints + 1)] * 3


@pytest.mark.parametrize(("endpoints", "workers"), [(3, 3), (2, 8), (5, 3), (1, 4), (4, 64)])
def test_first_picks_are_spread_over_the_endpoints(endpoints: int, workers: int) -> None:
    """Many short-lived snapshots, or few connections, must not all end at the first endpoint."""
    snapshot = compiled(endpoints, workers)
    first = Counter(pick_endpoint(snapshot, 0, worker) for worker in range(workers))
    assert len(first) == min(endpoints, workers)
    assert max(first.values()) - min(first.values()) <= 1


def test_workers_turn_on_their_own() -> None:
    snapshot = compiled(3, 2)
    for _ in range(4):
        pick_endpoint(snapshot, 0, 0)
    assert pick_endpoint(snapshot, 0, 1) == "127.0.0.1:2"


def test_an_even_share() -> None:
    snapshot = compiled(7, 4)
    picked = Counter(pick_endpoint(snapshot, 0, number % 4) for number in range(7 * 4 * 10))
    assert set(picked.values()) == {40}


def test_no_endpoint() -> None:
    snapshot = compiled(0, 2)
    assert [pick_endpoint(snapshot, 0, worker) for worker in (0, 1, 0)] == [None] * 3


def test_what_was_tried_is_avoided_while_there_are_others() -> None:
    snapshot = compiled(3, 1)
    assert {pick_endpoint(snapshot, 0, 0, tried=(0, 2)) for _ in range(6)} == {"127.0.0.1:2"}
    assert pick_endpoint(snapshot, 0, 0, tried=(0, 1, 2)) is not None
