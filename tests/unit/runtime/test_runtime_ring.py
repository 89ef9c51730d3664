"""The ring between a worker and the control thread."""

from __future__ import annotations

import os
import random
import threading
from collections import deque
from collections.abc import Iterator

import pytest

from mesh_core._testing.ring import Ring
from mesh_core.runtime.memory import fail_allocations_after_for_test, live_allocations

PATIENCE_MS = 20_000


@pytest.fixture
def event_fd() -> Iterator[int]:
    descriptor = os.eventfd(0, os.EFD_NONBLOCK | os.EFD_CLOEXEC)
    yield descriptor
    os.close(descriptor)


def wakes(event_fd: int) -> int:
    """How often the eventfd was written since the last look."""
    try:
        return os.eventfd_read(event_fd)
    except BlockingIOError:
        return 0


def test_a_new_ring_is_empty(event_fd: int) -> None:
    ring = Ring(4096, event_fd)
    assert ring.peek() is None
    assert ring.dropped == 0


@pytest.mark.parametrize("seed", range(4))
def test_random_records_wrap_around(seed: int, event_fd: int) -> None:
    noise = random.Random(seed)
    ring = Ring(4096, event_fd)
    model: deque[bytes] = deque()
    dropped = 0
    for _ in range(30_000):
        if noise.random() < 0.5:
            data = noise.randbytes(noise.choice((0, 1, 7, 8, 9, noise.randrange(600), noise.randrange(2000))))
            reserve = len(data) + noise.choice((0, 0, 5))
            if ring.write(data, reserve):
                model.append(data)
            else:
                dropped += 1
                # Half the ring is free as soon as it is empty, whatever stood in it before.
                assert model
        elif model:
            assert ring.peek() == model[0]
            assert ring.peek() == model.popleft()
            ring.consume()
        else:
            assert ring.peek() is None
        assert ring.dropped == dropped
    assert dropped > 0


def test_a_full_ring_drops_and_goes_on(event_fd: int) -> None:
    ring = Ring(4096, event_fd)
    written = 0
    while ring.write(bytes(56)):
        written += 1
    assert written == 4096 // 64
    assert ring.dropped == 1
    ring.consume()
    assert ring.write(b"x" * 56)
    assert not ring.write(b"")
    assert ring.dropped == 2
    for _ in range(written - 1):
        assert ring.peek() == bytes(56)
        ring.consume()
    assert ring.peek() == b"x" * 56
    ring.consume()
    assert ring.peek() is None


def test_a_record_larger_than_the_ring_is_dropped(event_fd: int) -> None:
    ring = Ring(4096, event_fd)
    assert not ring.write(bytes(4096))
    assert ring.dropped == 1
    assert ring.write(bytes(4088))


def test_the_eventfd_is_written_once_for_each_arming(event_fd: int) -> None:
    ring = Ring(4096, event_fd)
    for _ in range(3):
        ring.write(b"record")
    assert wakes(event_fd) == 1
    for _ in range(3):
        ring.consume()
    ring.write(b"record")
    assert wakes(event_fd) == 0
    assert ring.arm()  # a record came meanwhile
    ring.consume()
    assert not ring.arm()
    assert wakes(event_fd) == 0
    ring.write(b"record")
    ring.write(b"record")
    assert wakes(event_fd) == 1


def test_no_wake_up_for_a_record_that_was_dropped(event_fd: int) -> None:
    ring = Ring(4096, event_fd)
    assert not ring.write(bytes(5000))
    assert wakes(event_fd) == 0


def run_both_sides(ring: Ring, count: int, size_limit: int, again: bool) -> tuple[int, int, int]:
    producer = threading.Thread(target=ring.produce, args=(count, size_limit, again))
    producer.start()
    try:
        result: tuple[int, int, int] = ring.collect(count - 1, PATIENCE_MS)
    finally:
        producer.join()
    return result


@pytest.mark.parametrize(("capacity", "size_limit"), [(1 << 20, 600), (4096, 300)])
def test_two_threads_pass_a_million_records_in_order(capacity: int, size_limit: int, event_fd: int) -> None:
    count = 1_000_000 if capacity > 4096 else 200_000
    ring = Ring(capacity, event_fd)
    records, woken, faults = run_both_sides(ring, count, size_limit, again=True)
    assert faults == 0
    assert records == count
    assert woken <= records
    assert ring.peek() is None


def test_two_threads_lose_only_what_is_counted(event_fd: int) -> None:
    ring = Ring(4096, event_fd)
    records, _, faults = run_both_sides(ring, 300_000, 500, again=False)
    assert faults == 0
    # The last record is tried until it fits, and each try is counted.
    assert 300_000 - ring.dropped <= records <= 300_000


def test_without_memory(event_fd: int) -> None:
    before = live_allocations()
    fail_allocations_after_for_test(0)
    try:
        with pytest.raises(MemoryError):
            Ring(4096, event_fd)
    finally:
        fail_allocations_after_for_test(None)
    assert live_allocations() == before
