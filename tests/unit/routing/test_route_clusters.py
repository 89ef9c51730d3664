"""The choice between clusters, and what may be upgraded to."""

from __future__ import annotations

import random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from routed import forwarding

TOP = 2**64 - 1


def weighted(weights: list[int]) -> Any:
    return forwarding(clusters=[{"cluster": "app", "weight": each} for each in weights])[0]


def test_a_single_cluster() -> None:
    route, _snapshot = forwarding()
    assert {route.choose(number) for number in (0, 1, 2**63, TOP)} == {0}
    assert route.chosen_clusters == [("app", 0)]


@given(st.lists(st.sampled_from([0, 0, 1, 2, 7, 1_000_000]), min_size=1, max_size=8), st.integers(0, TOP))
def test_the_choice_is_by_cumulative_weights(weights: list[int], number: int) -> None:
    place = number * sum(weights) >> 64
    ends = [sum(weights[: index + 1]) for index in range(len(weights))]
    wanted = next((index for index, end in enumerate(ends) if place < end), None)
    assert weighted(weights).choose(number) == wanted


def test_shares_are_those_of_the_weights() -> None:
    weights = [1, 0, 3, 6]
    route, numbers = weighted(weights), random.Random(1)
    counts = [0] * len(weights)
    for _ in range(20_000):
        counts[route.choose(numbers.getrandbits(64))] += 1
    assert counts[1] == 0
    for count, weight in zip(counts, weights, strict=True):
        # Five standard deviations of a binomial distribution.
        assert abs(count - 2000 * weight) <= 5 * (2000 * weight * (1 - weight / 10)) ** 0.5


def test_all_weights_zero() -> None:
    route = weighted([0, 0])
    assert {route.choose(number) for number in (0, 2**63, TOP)} == {None}


def test_the_largest_weights() -> None:
    route = weighted([1_000_000] * 128)
    assert (route.choose(0), route.choose(TOP)) == (0, 127)


def test_subsets() -> None:
    labels = {"version": "v2"}
    members = [{"address": "10.0.0.1:80", "labels": labels}, "10.0.0.2:80"]
    subsets = {"app": {frozenset(): 0, frozenset(labels.items()): 1}}
    settings = {"subsets": {"subset_selectors": [{"keys": ["version"]}], "fallback_policy": "any_endpoint"}}
    listeners = ({"name": "in", "address": "127.0.0.1:1", "cluster": "app", "subset": labels},)
    route, _snapshot = forwarding(
        endpoints={"app": members}, subsets=subsets, settings=settings, listeners=listeners,
        clusters=[{"cluster": "app", "subset": labels}, {"cluster": "app"}],
    )  # fmt: skip
    assert route.chosen_clusters == [("app", 1), ("app", 0)]


@pytest.mark.parametrize(
    ("upgrade", "allows"),
    [
        (b"websocket", True),
        (b"WebSocket", True),
        (b" websocket ,", True),
        (b"websocket, custom/2", True),
        (b"custom/2", True),
        (b"custom", False),
        (b"custom/1", False),
        (b"websocket, h2c", False),
        (b"h2c, websocket", False),
        (b"websocke", False),
        (b"websockets", False),
        (b"connect", False),
        (b"", False),
        (b" , ", False),
    ],
)
def test_upgrades(upgrade: bytes, allows: bool) -> None:
    route, _snapshot = forwarding(upgrades=["WebSocket", "connect", "custom/2"])
    assert route.allows_upgrade(upgrade) is allows
    assert route.allows_connect


def test_without_upgrades() -> None:
    route, _snapshot = forwarding()
    assert not route.allows_upgrade(b"websocket")
    assert not route.allows_connect
