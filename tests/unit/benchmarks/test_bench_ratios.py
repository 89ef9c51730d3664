"""Medians, ranges, and figures paired by round."""

import pytest

from benchmarks.ratios import Spread, paired_difference, paired_ratio


def test_spread_has_the_median_and_the_extremes():
    assert Spread.of([3.0, 1.0, 9.0]) == Spread(3.0, 1.0, 9.0, 3)


def test_nothing_has_no_spread():
    assert Spread.of([]) is None


def test_ratio_pairs_the_figures_of_one_round():
    # Both are twice as slow in round 2: the ratio must not see it.
    assert paired_ratio({1: 9.0, 2: 18.0}, {1: 10.0, 2: 20.0}) == Spread(0.9, 0.9, 0.9, 2)


def test_rounds_that_one_side_lacks_are_left_out():
    assert paired_ratio({1: 1.0, 2: 4.0}, {2: 2.0, 3: 5.0}) == Spread(2.0, 2.0, 2.0, 1)


def test_no_round_in_common_gives_nothing():
    assert paired_ratio({1: 1.0}, {2: 1.0}) is None


def test_a_zero_has_no_ratio():
    assert paired_ratio({1: 1.0, 2: 1.0}, {1: 0.0, 2: 4.0}) == Spread(0.25, 0.25, 0.25, 1)


def test_difference_may_be_negative():
    found = paired_difference({1: 5.0, 2: 7.0, 3: 1.0}, {1: 6.0, 2: 5.0, 3: 3.0})
    assert found is not None
    assert found.median == pytest.approx(-1.0)
    assert (found.low, found.high) == (-2.0, 2.0)
