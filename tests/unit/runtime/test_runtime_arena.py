"""Arenas: pieces are zeroed, aligned, apart from each other, and given back together."""

import itertools
import random

import pytest

from mesh_core._testing.arena import Arena
from mesh_core.runtime.memory import fail_allocations_after_for_test, live_allocations


def test_pieces_are_zeroed_aligned_and_apart() -> None:
    sizes = [0, 1, 7, 8, 15, 16, 63, 64, 65, 4096, 5000, 300_000, 2_000_000]
    chosen = random.Random(7)
    arena = Arena()
    pieces = []
    for size in sizes + [chosen.choice(sizes[:-2]) for _ in range(2000)]:
        piece = arena.alloc(size)
        assert piece is not None
        address, found = piece
        assert found == bytes(size)
        assert address % (16 if size >= 16 else 8) == 0
        pieces.append((address, max(size, 1)))
    pieces.sort()
    for (address, size), (following, _) in itertools.pairwise(pieces):
        assert address + size <= following


def test_all_is_given_back_and_it_begins_anew() -> None:
    before = live_allocations()
    arena = Arena()
    for _round in range(3):
        for _ in range(1000):
            assert arena.alloc(100) is not None
        assert live_allocations() > before
        arena.free()
        assert live_allocations() == before


@pytest.mark.parametrize("allowed", [0, 1, 2, 3])
def test_without_memory_there_is_no_piece_and_then_there_is(allowed: int) -> None:
    arena = Arena()
    fail_allocations_after_for_test(allowed)
    pieces = [arena.alloc(1 << 20) for _ in range(4)]
    fail_allocations_after_for_test(None)
    assert None in pieces
    assert arena.alloc(10) is not None


def test_a_size_beyond_memory_is_refused() -> None:
    arena = Arena()
    for _ in range(3):
        assert arena.alloc(1) is not None
        assert arena.alloc((1 << 64) - 1) is None
