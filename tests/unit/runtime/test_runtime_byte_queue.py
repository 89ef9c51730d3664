"""The byte queue against a bytearray."""

from __future__ import annotations

import random
from collections.abc import Iterator

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from mesh_core._testing.byte_queue import BLOCK_BYTES, BLOCKS_KEPT, BlockPool, ByteQueue
from mesh_core.runtime.memory import fail_allocations_after_for_test, live_allocations
from tests.support.leaks import allocations_given_back

SIZES = st.one_of(st.integers(0, 40), st.integers(BLOCK_BYTES - 60, BLOCK_BYTES + 20), st.integers(0, 100_000))


@pytest.fixture(autouse=True)
def nothing_leaks() -> Iterator[None]:
    with allocations_given_back():
        yield


class QueueMachine(RuleBasedStateMachine):
    """Two queues of one pool, each next to a bytearray that should hold the same."""

    def __init__(self) -> None:
        super().__init__()
        self.before = live_allocations()
        self.pool = BlockPool()
        self.queues = [ByteQueue(self.pool), ByteQueue(self.pool)]
        self.models = [bytearray(), bytearray()]
        self.noise = random.Random(0)

    @rule(which=st.integers(0, 1), size=SIZES)
    def append(self, which: int, size: int) -> None:
        data = self.noise.randbytes(size)
        self.queues[which].append(data)
        self.models[which] += data

    @rule(which=st.integers(0, 1), size=SIZES, allowed=st.integers(0, 3))
    def append_without_memory(self, which: int, size: int, allowed: int) -> None:
        data = self.noise.randbytes(size)
        fail_allocations_after_for_test(allowed)
        try:
            self.queues[which].append(data)
            self.models[which] += data
        except MemoryError:
            pass
        finally:
            fail_allocations_after_for_test(None)

    @rule(which=st.integers(0, 1), size=SIZES)
    def consume(self, which: int, size: int) -> None:
        self.queues[which].consume(size)
        del self.models[which][:size]

    @rule(which=st.integers(0, 1), limit=SIZES)
    def peek(self, which: int, limit: int) -> None:
        assert self.queues[which].peek(limit) == self.models[which][:limit]

    @rule(which=st.integers(0, 1), limit=st.integers(0, 10))
    def pieces(self, which: int, limit: int) -> None:
        pieces = self.queues[which].pieces(limit)
        assert len(pieces) <= limit
        assert all(pieces)
        joined = b"".join(pieces)
        assert self.models[which].startswith(joined)
        assert len(pieces) == limit or len(joined) == len(self.models[which])

    @rule(which=st.integers(0, 1))
    def clear(self, which: int) -> None:
        self.queues[which].clear()
        self.models[which].clear()

    @invariant()
    def sizes_agree_and_memory_is_bounded(self) -> None:
        assert [len(queue) for queue in self.queues] == [len(model) for model in self.models]
        assert self.pool.free_count <= BLOCKS_KEPT
        # A block that is in use holds at least one byte, and all but the first and the last are full.
        in_use = live_allocations() - self.before - self.pool.free_count
        assert in_use <= sum(len(model) // (BLOCK_BYTES - 64) + 2 if model else 0 for model in self.models)

    def teardown(self) -> None:
        for queue, model in zip(self.queues, self.models, strict=True):
            assert queue.peek(len(model) + 1) == model


QueueMachine.TestCase.settings = settings(max_examples=40, stateful_step_count=40, deadline=None)
TestQueue = QueueMachine.TestCase


def test_an_empty_queue_holds_no_memory() -> None:
    before = live_allocations()
    pool = BlockPool()
    queue = ByteQueue(pool)
    queue.append(b"")
    assert live_allocations() == before
    queue.append(b"x")
    queue.consume(1)
    assert live_allocations() == before + pool.free_count == before + 1


def test_a_pool_keeps_some_blocks_and_frees_the_rest() -> None:
    before = live_allocations()
    pool = BlockPool()
    queue = ByteQueue(pool)
    queue.append(bytes(4 * BLOCKS_KEPT * BLOCK_BYTES))
    assert live_allocations() > before + 4 * BLOCKS_KEPT
    queue.clear()
    assert pool.free_count == BLOCKS_KEPT
    assert live_allocations() == before + BLOCKS_KEPT


def test_blocks_go_from_one_queue_to_another() -> None:
    pool = BlockPool()
    first, second = ByteQueue(pool), ByteQueue(pool)
    first.append(bytes(3 * BLOCK_BYTES))
    first.clear()
    fail_allocations_after_for_test(0)
    second.append(b"y" * (2 * BLOCK_BYTES))
    assert second.peek(3 * BLOCK_BYTES) == b"y" * (2 * BLOCK_BYTES)


@pytest.mark.parametrize("allowed", range(4))
def test_a_failed_append_changes_nothing(allowed: int) -> None:
    pool = BlockPool()
    queue = ByteQueue(pool)
    queue.append(b"before")
    live = live_allocations()
    fail_allocations_after_for_test(allowed)
    with pytest.raises(MemoryError):
        queue.append(bytes(5 * BLOCK_BYTES))
    fail_allocations_after_for_test(None)
    assert queue.peek(100) == b"before"
    assert live_allocations() == live + pool.free_count
    queue.append(b" and after")
    assert queue.peek(100) == b"before and after"
