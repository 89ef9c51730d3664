"""A snapshot's holders, and the counts that all workers share."""

from __future__ import annotations

import gc
import threading

import pytest

from mesh_core._testing.snapshot import (
    count_contend,
    count_enter,
    count_leave,
    hold_snapshot,
    release_snapshot,
)
from mesh_core.runtime.memory import fail_allocations_after_for_test, live_allocations
from mesh_core.snapshot.shared_count import SharedCount
from mesh_core.snapshot.snapshot import Snapshot
from mesh_core.tls.context import TlsContext
from mesh_core.upstream.endpoint_state import EndpointState
from mesh_core.worker.worker import Worker


def test_released_once_every_worker_has_let_go() -> None:
    snapshot = Snapshot(7, 3)
    assert snapshot.version == 7
    assert not snapshot.released
    for worker in range(3):
        hold_snapshot(snapshot, worker)
        hold_snapshot(snapshot, worker)
        assert not release_snapshot(snapshot, worker)
        assert not snapshot.released
    for worker in (2, 0, 1):
        assert not snapshot.released
        assert release_snapshot(snapshot, worker)
    assert snapshot.released


def test_workers_do_not_count_for_each_other() -> None:
    snapshot = Snapshot(1, 2)
    hold_snapshot(snapshot, 0)
    hold_snapshot(snapshot, 1)
    assert release_snapshot(snapshot, 0)
    assert not snapshot.released
    hold_snapshot(snapshot, 1)
    assert not release_snapshot(snapshot, 1)
    assert release_snapshot(snapshot, 1)
    assert snapshot.released


def test_memory_goes_with_the_object() -> None:
    gc.collect()
    before = live_allocations()
    snapshot = Snapshot(1, 16)
    assert live_allocations() > before
    del snapshot
    assert live_allocations() == before


@pytest.mark.parametrize("allowed", range(3))
def test_without_memory(allowed: int) -> None:
    gc.collect()
    before = live_allocations()
    fail_allocations_after_for_test(allowed)
    try:
        with pytest.raises(MemoryError):
            Snapshot(1, 4)
    finally:
        fail_allocations_after_for_test(None)
    gc.collect()
    assert live_allocations() == before


def test_a_limit_is_kept() -> None:
    count = SharedCount()
    assert [count_enter(count, 2) for _ in range(4)] == [True, True, False, False]
    assert int(count) == 2
    count_leave(count)
    assert count_enter(count, 2)
    assert not count_enter(count, 1)
    assert int(count) == 2


def test_zero_is_no_limit() -> None:
    count = SharedCount()
    assert all(count_enter(count, 0) for _ in range(1000))
    assert int(count) == 1000


@pytest.mark.parametrize("limit", [1, 2, 3])
def test_threads_never_pass_the_limit(limit: int) -> None:
    count, inside = SharedCount(), SharedCount()
    results: list[tuple[int, int]] = []
    threads = [
        threading.Thread(target=lambda: results.append(count_contend(count, inside, limit, 100_000))) for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(results) == 4
    assert max(most for _, most in results) <= limit
    assert sum(admitted for admitted, _ in results) > 0
    assert int(count) == int(inside) == 0


@pytest.mark.parametrize("owner", [EndpointState, Snapshot, TlsContext, Worker])
def test_the_garbage_collector_takes_nothing_from_an_owner(owner: type) -> None:
    """Whatever needs another object in its own end is not emptied before that."""
    collected = 1 << 14  # Py_TPFLAGS_HAVE_GC
    assert not owner.__flags__ & collected
