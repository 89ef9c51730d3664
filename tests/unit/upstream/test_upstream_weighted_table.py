"""Numbers find the entries that they belong to, in proportion to the weights."""

from __future__ import annotations

from bisect import bisect_right
from itertools import accumulate, pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mesh_core._testing.picks import weighted_find

LARGEST = 2**64 - 1
GOLDEN_STEP = 0x9E3779B97F4A7C15
WEIGHTS = st.lists(st.just(0.0) | st.floats(1e-6, 1e6), min_size=1, max_size=300).filter(any)


def boundaries(weights: list[float]) -> list[int]:
    total = sum(weights)
    return [int(end / total * 2**64) for end in accumulate(weights)]


@given(WEIGHTS, st.lists(st.integers(0, LARGEST), max_size=50))
def test_a_number_belongs_to_its_interval(weights: list[float], numbers: list[int]) -> None:
    ends = boundaries(weights)
    # Rounding may move a boundary a little: numbers beside one may belong to either side.
    clear = [each for each in numbers if all(abs(each - end) > 2**20 for end in ends)]
    for number, found in zip(clear, weighted_find(weights, clear), strict=True):
        assert found == bisect_right(ends[:-1], number)


@given(WEIGHTS, st.lists(st.integers(0, LARGEST) | st.sampled_from([0, 1, LARGEST - 1, LARGEST]), max_size=50))
def test_never_an_entry_without_weight_nor_out_of_bounds(weights: list[float], numbers: list[int]) -> None:
    ends = boundaries(weights)
    edges = [edge for end in ends for edge in (end - 1, end, end + 1) if 0 <= edge <= LARGEST]
    for found in weighted_find(weights, [*numbers, *edges]):
        assert weights[found] > 0


@pytest.mark.parametrize("weights", [[], [0.0], [0.0, 0.0]])
def test_nothing_to_share(weights: list[float]) -> None:
    assert weighted_find(weights, [0]) is None


def test_one_heavy_among_many_light() -> None:
    weights = [1.0] * 5000 + [1e6] + [1.0] * 4999
    found = weighted_find(weights, [number * GOLDEN_STEP & LARGEST for number in range(101_000)])
    assert abs(found.count(5000) - 101_000 * 1e6 / sum(weights)) < 5


@given(st.lists(st.integers(1, 50), min_size=2, max_size=8))
def test_golden_steps_are_fair_at_every_moment(weights: list[int]) -> None:
    turns = weighted_find([float(each) for each in weights], [n * GOLDEN_STEP & LARGEST for n in range(500)])
    counts = [0] * len(weights)
    for number, entry in enumerate(turns, start=1):
        counts[entry] += 1
        share = [number * weight / sum(weights) for weight in weights]
        assert max(abs(count - each) for count, each in zip(counts, share, strict=True)) < 4


def test_golden_steps_do_not_come_in_bursts() -> None:
    turns = weighted_find([1.0, 3.0], [n * GOLDEN_STEP & LARGEST for n in range(1000)])
    places = [place for place, entry in enumerate(turns) if entry == 0]
    gaps = {after - before for before, after in pairwise(places)}
    assert len(gaps) <= 3
    assert max(gaps) <= 7
