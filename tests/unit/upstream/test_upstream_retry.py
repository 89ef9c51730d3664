"""Retries: the back-off's intervals and the budget."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mesh_core._testing.resilience import (
    ATTEMPTS_MOST,
    count_connections,
    retries_contend,
    retry_enter,
    retry_interval_ms,
    retry_leave,
)
from mesh_core.upstream.endpoint_state import ClusterState


@pytest.mark.parametrize(("retry", "longest"), [(1, 24), (2, 49), (3, 99), (4, 199), (5, 249), (6, 249), (9, 249)])
def test_the_longest_waits_are_envoys(retry: int, longest: int) -> None:
    """Envoy's figures for a base of 25 ms; its random numbers are taken modulo the interval, as ours are."""
    waits = {retry_interval_ms(25, retry, number) for number in range(1000)}
    assert (min(waits), max(waits)) == (0, longest)


@given(st.integers(1, 60_000), st.integers(1, ATTEMPTS_MOST), st.integers(0, 2**64 - 1))
def test_a_wait_is_below_ten_base_intervals(base: int, retry: int, number: int) -> None:
    assert 0 <= retry_interval_ms(base, retry, number) < min(10, 2 ** (retry - 1)) * base


@pytest.mark.parametrize(
    ("connections", "percent", "min_concurrency", "allowed"),
    [(0, 20, 3, 3), (10, 20, 3, 3), (20, 20, 3, 4), (100, 20, 3, 20), (104, 20, 3, 20), (100, 0, 0, 0), (5, 0, 2, 2),
     (3, 20, 0, 0), (7, 100, 0, 7)],
)  # fmt: skip
def test_the_budget(connections: int, percent: int, min_concurrency: int, allowed: int) -> None:
    cluster = ClusterState()
    count_connections(cluster, connections)
    entered = 0
    while entered <= allowed and retry_enter(cluster, percent, min_concurrency):
        entered += 1
    assert entered == allowed
    assert cluster.retries == allowed
    for _ in range(entered):
        retry_leave(cluster)
    assert cluster.retries == 0


def test_a_place_that_is_left_is_free_again() -> None:
    cluster = ClusterState()
    assert [retry_enter(cluster, 0, 1), retry_enter(cluster, 0, 1)] == [True, False]
    retry_leave(cluster)
    assert retry_enter(cluster, 0, 1)


def test_workers_together_stay_within_the_budget() -> None:
    threads, allowed = 4, 2
    cluster = ClusterState()
    with ThreadPoolExecutor(threads) as pool:
        most = list(pool.map(lambda _: retries_contend(cluster, 0, allowed, 100_000), range(threads)))
    # Those that are refused are counted for a moment.
    assert 1 <= max(most) <= threads
    assert cluster.retries == 0
