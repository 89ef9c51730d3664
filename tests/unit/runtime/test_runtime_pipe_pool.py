"""The pool of kernel pipes: its bounds, what it gives back, and what a refusal does."""

from __future__ import annotations

import os
import resource
from collections.abc import Iterator
from pathlib import Path

import pytest

from mesh_core._testing.pipe_pool import PIPE_BYTES_LEAST, PIPE_PAUSE, PIPES_KEPT, PIPES_LIVE, PipePool
from mesh_core.runtime.memory import fail_allocations_after_for_test, live_allocations


def open_descriptors() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


@pytest.fixture(autouse=True)
def nothing_leaks() -> Iterator[None]:
    memory, descriptors = live_allocations(), open_descriptors()
    yield
    fail_allocations_after_for_test(None)
    assert live_allocations() == memory
    assert open_descriptors() == descriptors


def test_a_pipe_is_large_and_never_blocks() -> None:
    pool = PipePool()
    pipe = pool.take()
    if pipe is None:
        pytest.skip("this user's quota of pipe memory is spent")
    assert pipe.capacity >= PIPE_BYTES_LEAST
    assert pipe.filled == 0
    for descriptor in pipe.descriptors:
        assert not os.get_blocking(descriptor)
        assert not os.get_inheritable(descriptor)
    pool.give(pipe)


def test_a_pipe_given_back_is_used_again() -> None:
    pool = PipePool()
    pipe = pool.take()
    if pipe is None:
        pytest.skip("this user's quota of pipe memory is spent")
    descriptors = pipe.descriptors
    pool.give(pipe)
    assert (pool.free_count, pool.live) == (1, 1)
    again = pool.take()
    assert again.descriptors == descriptors
    assert (pool.free_count, pool.live) == (0, 1)
    pool.give(again)


def test_a_pipe_that_holds_bytes_is_closed() -> None:
    pool = PipePool()
    pipe = pool.take()
    if pipe is None:
        pytest.skip("this user's quota of pipe memory is spent")
    os.write(pipe.descriptors[1], b"of another connection")
    pipe.filled = 21
    pool.give(pipe)
    assert (pool.free_count, pool.live) == (0, 0)


def test_bounds() -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = 2 * PIPES_LIVE + 200
    if soft < wanted <= hard or (soft < wanted and hard == resource.RLIM_INFINITY):
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
    pool = PipePool()
    taken = []
    while (pipe := pool.take()) is not None:
        taken.append(pipe)
    # An ordinary user's quota of pipe memory, or of descriptors, ends before the pool's own bound does.
    assert len(taken) == PIPES_LIVE or pool.pause > 0
    assert pool.live == len(taken) <= PIPES_LIVE
    for pipe in taken:
        pool.give(pipe)
    assert pool.free_count == pool.live == min(len(taken), PIPES_KEPT)
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def test_a_refusal_is_not_repeated_for_a_while() -> None:
    """No descriptors: the next requests are answered without asking the kernel."""
    pool = PipePool()
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (3, hard))
    try:
        assert pool.take() is None
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    assert (pool.live, pool.pause) == (0, PIPE_PAUSE)
    for _ in range(PIPE_PAUSE):
        assert pool.take() is None
    pipe = pool.take()
    if pipe is not None:
        pool.give(pipe)


def test_without_memory() -> None:
    pool = PipePool()
    descriptors = open_descriptors()
    fail_allocations_after_for_test(0)
    assert pool.take() is None
    fail_allocations_after_for_test(None)
    assert open_descriptors() == descriptors
    assert pool.live == 0


def test_a_pipe_that_goes_ends_the_pause() -> None:
    pool = PipePool()
    pipe = pool.take()
    if pipe is None:
        pytest.skip("this user's quota of pipe memory is spent")
    fail_allocations_after_for_test(0)
    assert pool.take() is None
    fail_allocations_after_for_test(None)
    assert pool.pause == PIPE_PAUSE
    pipe.filled = 1
    pool.give(pipe)
    assert pool.pause == 0


def test_descriptors_that_traffic_may_not_have() -> None:
    pool = PipePool()
    pool.limit_descriptors(4)
    assert pool.take() is None
    assert (pool.live, pool.pause > 0) == (0, True)
