"""Shares of priority levels, against the examples of Envoy's documentation and its code."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mesh_core._testing.picks import priority_load

LEVELS = st.lists(
    st.integers(1, 300).flatmap(lambda many: st.tuples(st.integers(0, many), st.just(many))), min_size=1, max_size=8
)


@pytest.mark.parametrize(
    ("healthy", "load"),
    [
        ((100, 100), (100, 0)), ((72, 100), (100, 0)), ((71, 100), (99, 1)), ((50, 100), (70, 30)),
        ((25, 100), (35, 65)), ((0, 100), (0, 100)), ((72, 72), (100, 0)), ((71, 71), (99, 1)),
        ((50, 60), (70, 30)), ((25, 25), (50, 50)), ((100, 100, 100), (100, 0, 0)), ((50, 50, 100), (70, 30, 0)),
        ((25, 100, 100), (35, 65, 0)), ((25, 25, 100), (35, 35, 30)),
    ],
)  # fmt: skip
def test_examples_of_envoys_documentation(healthy: tuple[int, ...], load: tuple[int, ...]) -> None:
    assert tuple(priority_load([(each, 100) for each in healthy])[0]) == load


@pytest.mark.parametrize(
    ("healthy", "panic"),
    [((25, 25), [True, True]), ((5, 65), [True, False]), ((25, 100), [False, False]), ((49,), [True]),
     ((50,), [False]), ((0,), [True]), ((0, 0), [True, True])],
)  # fmt: skip
def test_panic_only_when_all_levels_together_are_not_enough(healthy: tuple[int, ...], panic: list[bool]) -> None:
    assert priority_load([(each, 100) for each in healthy])[1] == panic


def test_rounding_goes_to_the_first_level_with_health() -> None:
    # 7 and 91 of 98: Envoy's documentation says 7 and 93, its code gives what is left to the first level.
    assert priority_load([(5, 100), (65, 100)])[0] == [8, 92]
    assert priority_load([(0, 100), (10, 100), (10, 100), (10, 100)], 100, 0)[0] == [0, 34, 33, 33]


@pytest.mark.parametrize(
    ("levels", "load"), [([(0, 5), (0, 5)], [50, 50]), ([(0, 2), (0, 8)], [20, 80]), ([(0, 1)] * 3, [34, 33, 33])]
)
def test_in_total_panic_load_goes_by_size(levels: list[tuple[int, int]], load: list[int]) -> None:
    assert priority_load(levels) == (load, [True] * len(levels))


def test_without_panic_nobody_healthy_is_nobody() -> None:
    assert priority_load([(0, 5), (0, 5)], 140, 0) == ([0, 0], [False, False])


def test_few_healthy_ones_of_many_are_better_than_none() -> None:
    assert priority_load([(0, 300), (1, 300)], 140, 0) == ([0, 100], [False, False])


@given(LEVELS, st.integers(100, 1000), st.integers(0, 100))
def test_the_whole_load_goes_where_endpoints_may_be_picked(
    levels: list[tuple[int, int]], overprovisioning: int, threshold: int
) -> None:
    load, panic = priority_load(levels, overprovisioning, threshold)
    some = any(few for few, _ in levels) or threshold > 0
    assert sum(load) == (100 if some else 0)
    for (few, many), share, in_panic in zip(levels, load, panic, strict=True):
        assert few or in_panic or share == 0
        assert not in_panic or few * 100 < many * threshold
