"""Choosing an endpoint: health, priorities, panic, localities, subsets, retries; every balancer."""

from __future__ import annotations

from collections import Counter

import pytest
from balancing import BALANCERS, compiled, endpoints, fail, recover
from hypothesis import given
from hypothesis import strategies as st

from mesh_core._testing.picks import count_picks, list_picks, pick_endpoint, pick_many
from mesh_core._testing.snapshot import snapshot_fields
from mesh_core.config import load_builtins, parse_address
from mesh_core.control.compiler import Compiler
from mesh_core.control.endpoints import configured_endpoints
from mesh_core.telemetry.stats import StatsRegistry

EVERY = pytest.mark.parametrize("balancer", BALANCERS)


@EVERY
def test_no_endpoint(balancer: str) -> None:
    assert list_picks(compiled([], balancer), count=3) == [None] * 3
    assert pick_endpoint(compiled([], balancer), hash=5) is None


@EVERY
def test_one_endpoint(balancer: str) -> None:
    snapshot = compiled(endpoints(1, weight=7), balancer)
    assert list_picks(snapshot, count=5) == [0] * 5
    assert pick_endpoint(snapshot, hash=2**64 - 1, tried=[0]) == "10.0.0.0:80"


@EVERY
@pytest.mark.parametrize("weighted", [False, True])
def test_ten_thousand_endpoints(balancer: str, weighted: bool) -> None:
    weights = [1 + index % 7 for index in range(10_000)] if weighted else 1
    snapshot = compiled(endpoints(10_000, weight=weights), balancer)
    fail(snapshot, *range(0, 10_000, 3))
    counts = count_picks(snapshot, count=50_000, hashed=True)
    assert counts[10_000] == 0
    assert not any(counts[0:10_000:3])
    assert sum(1 for count in counts if count) > 4000


@EVERY
def test_the_benchmark_picks(balancer: str) -> None:
    assert pick_many(compiled(endpoints(10), balancer), 0, 0, 1000) > 0
    with pytest.raises(ValueError, match="0 of 10"):
        pick_many(compiled([], balancer), 0, 0, 10)


@EVERY
@given(data=st.data())
def test_never_an_unhealthy_one_outside_panic(balancer: str, data: st.DataObject) -> None:
    count = data.draw(st.integers(1, 12))
    described = endpoints(
        count,
        weight=data.draw(st.lists(st.integers(1, 5), min_size=count, max_size=count)),
        priority=data.draw(st.lists(st.integers(0, 2), min_size=count, max_size=count)),
        locality=[
            {"zone": each} for each in data.draw(st.lists(st.sampled_from("ab"), min_size=count, max_size=count))
        ],
    )
    weights = data.draw(st.sampled_from([[], [{"locality": {"zone": z}, "weight": 1 + (z == "b")} for z in "ab"]]))
    snapshot = compiled(described, balancer, panic_threshold_percent=0, locality_weights=weights)
    sick: set[int] = set()
    for _round in range(4):
        for index in data.draw(st.lists(st.integers(0, count - 1), max_size=count)):
            (recover if index in sick else fail)(snapshot, index)
            sick ^= {index}
        tried = data.draw(st.lists(st.integers(0, count - 1), max_size=4, unique=True))
        well = {described[index]["address"] for index in range(count) if index not in sick}
        fresh = well - {described[index]["address"] for index in tried}
        for hash in (None, 0, 2**64 - 1, data.draw(st.integers(0, 2**64 - 1))):
            picked = pick_endpoint(snapshot, hash=hash, tried=tried)
            assert picked in (fresh or well or {None})


@EVERY
def test_levels_share_as_envoys_example_says(balancer: str) -> None:
    """Half of level 0 is healthy: 70 percent stay there."""
    snapshot = compiled(endpoints(20, priority=[0] * 10 + [1] * 10), balancer)
    fail(snapshot, *range(5))
    counts = count_picks(snapshot, count=20_000, hashed=True)
    assert sum(counts[:5]) == 0
    assert sum(counts[5:10]) / 20_000 == pytest.approx(0.7, abs=0.015)
    fail(snapshot, *range(10))
    assert sum(count_picks(snapshot, count=1000, hashed=True)[10:20]) == 1000
    recover(snapshot, *range(10))
    assert sum(count_picks(snapshot, count=1000, hashed=True)[:10]) == 1000


def test_priorities_need_not_be_contiguous() -> None:
    snapshot = compiled(endpoints(2, priority=[127, 5]))
    assert list_picks(snapshot, count=3) == [1] * 3
    fail(snapshot, 1)
    assert list_picks(snapshot, count=3) == [0] * 3


@EVERY
def test_panic_takes_everyone_and_counts(balancer: str) -> None:
    registry = StatsRegistry(1)
    snapshot = compiled(endpoints(10), balancer, compiler=Compiler(1, registry))
    (scope,) = registry.scopes("cluster")
    fail(snapshot, *range(5))
    counts = count_picks(snapshot, count=5000, hashed=True)
    assert not any(counts[:5])
    assert scope.read()["lb_healthy_panic"] == 0
    fail(snapshot, 5)
    counts = count_picks(snapshot, count=5000, hashed=True)
    assert all(counts[:10]) or balancer == "peak_ewma"
    assert sum(counts[:6]) > 0
    assert scope.read()["lb_healthy_panic"] == 5000


@EVERY
def test_without_panic_nobody_is_picked_when_nobody_is_healthy(balancer: str) -> None:
    snapshot = compiled(endpoints(3), balancer, panic_threshold_percent=0)
    fail(snapshot, 0, 1, 2)
    assert pick_endpoint(snapshot, hash=1) is None
    recover(snapshot, 1)
    assert pick_endpoint(snapshot, hash=1) == "10.0.0.1:80"


# Envoy's documentation on locality weights: X has weight 1, Y has 2 and is healthy; shares of X in percent.
@EVERY
@pytest.mark.parametrize(("healthy", "share"), [(100, 33), (70, 33), (69, 32), (50, 26), (25, 15), (0, 0)])
def test_localities_share_as_envoys_examples_say(balancer: str, healthy: int, share: int) -> None:
    described = endpoints(200, locality=[{"zone": "x"}] * 100 + [{"zone": "y"}] * 100)
    weights = [{"locality": {"zone": "x"}, "weight": 1}, {"locality": {"zone": "y"}, "weight": 2}]
    snapshot = compiled(described, balancer, locality_weights=weights)
    fail(snapshot, *range(100 - healthy))
    counts = count_picks(snapshot, count=30_000, hashed=True)
    assert sum(counts[:100]) / 300 == pytest.approx(share, abs=1.5)
    assert not any(counts[: 100 - healthy])


def test_weights_count_within_a_locality_only() -> None:
    described = endpoints(3, weight=[100, 1, 3], locality=[{"zone": "x"}, {"zone": "y"}, {"zone": "y"}])
    weights = [{"locality": {"zone": each}, "weight": 1} for each in "xy"]
    counts = count_picks(compiled(described, locality_weights=weights), count=8000)
    assert counts[:3] == [pytest.approx(4000, abs=8), pytest.approx(1000, abs=8), pytest.approx(3000, abs=8)]


def test_without_locality_weights_localities_do_not_matter() -> None:
    described = endpoints(3, locality=[{"zone": "x"}, {"zone": "y"}, {"zone": "y"}])
    assert count_picks(compiled(described), count=300)[:3] == [100] * 3


# --- subsets ---

LABELS = [{"version": "v1"}, {"version": "v2"}, {"version": "v2", "stage": "canary"}, {}]
SELECTORS = [{"keys": ["version"]}, {"keys": ["stage", "version"]}]


def subset_of(subset: dict[str, str] | None, **subsets: object) -> set[int] | None:
    """The endpoints that a listener with this `subset` gets; None when there is no subset for it."""
    config = load_builtins(
        {
            "listeners": [{"name": "in", "address": "127.0.0.1:1", "cluster": "app", "subset": subset}],
            "clusters": [
                {
                    "name": "app",
                    "endpoints": endpoints(4, labels=LABELS),
                    "subsets": {"subset_selectors": SELECTORS, **subsets},
                }
            ],
        }
    )
    made = Compiler(1, StatsRegistry(1)).compile(config, {"in": Nowhere()}, configured_endpoints(config))
    index = snapshot_fields(made)["listeners"][0]["subset"]
    return None if index is None else {each for each in range(4) if count_picks(made, count=40, subset=index)[each]}


class Nowhere:
    """A listener's sockets, without any."""

    id = 1
    descriptors: tuple[tuple[int, ...], ...] = ((),)
    bound = parse_address("127.0.0.1:1")


@pytest.mark.parametrize(
    ("subset", "members"),
    [({"version": "v2"}, {1, 2}), ({"version": "v1"}, {0}), ({"version": "v2", "stage": "canary"}, {2}),
     ({"version": "v3"}, None), (None, None)],
)  # fmt: skip
def test_subsets_by_labels(subset: dict[str, str] | None, members: set[int] | None) -> None:
    assert subset_of(subset) == members


@pytest.mark.parametrize("subset", [{"version": "v3"}, None])
def test_fallbacks(subset: dict[str, str] | None) -> None:
    assert subset_of(subset, fallback_policy="any_endpoint") == {0, 1, 2, 3}
    assert subset_of(subset, fallback_policy="default_subset", default_subset={"version": "v1"}) == {0}
    assert subset_of(subset, fallback_policy="default_subset", default_subset={"version": "v9"}) is None
    assert subset_of(subset, fallback_policy="default_subset", default_subset={}) == {0, 1, 2, 3}


def test_a_fallback_is_for_subsets_without_endpoints_only() -> None:
    assert subset_of({"version": "v1"}, fallback_policy="any_endpoint") == {0}


def test_no_such_subset_is_nobody() -> None:
    snapshot = compiled(endpoints(2))
    assert pick_endpoint(snapshot, subset=1) is None
    assert pick_endpoint(snapshot, subset=0xFFFFFFFF) is None


def test_health_is_reckoned_within_a_subset() -> None:
    """One of two unhealthy is no panic; in a subset of that one alone it is."""
    described = endpoints(2, labels=[{"version": "v1"}, {"version": "v2"}])
    listener = {"name": "in", "address": "127.0.0.1:1", "cluster": "app", "subset": {"version": "v1"}}
    snapshot = compiled(described, listeners=[listener], subsets={"subset_selectors": [{"keys": ["version"]}]})
    fail(snapshot, 0)
    assert count_picks(snapshot, count=10, subset=0) == [0, 10, 0]
    assert count_picks(snapshot, count=10, subset=1) == [10, 0, 0]


# --- retries ---


@EVERY
def test_a_retry_leaves_the_level_rather_than_try_again(balancer: str) -> None:
    snapshot = compiled(endpoints(3, priority=[0, 1, 2]), balancer)
    assert pick_endpoint(snapshot, hash=9) == "10.0.0.0:80"
    assert pick_endpoint(snapshot, hash=9, tried=[0]) == "10.0.0.1:80"
    assert pick_endpoint(snapshot, hash=9, tried=[0, 1]) == "10.0.0.2:80"
    assert pick_endpoint(snapshot, hash=9, tried=[2, 1, 0]) == "10.0.0.0:80"
    fail(snapshot, 1)
    assert pick_endpoint(snapshot, hash=9, tried=[0]) == "10.0.0.2:80"


@EVERY
def test_retries_spread(balancer: str) -> None:
    snapshot = compiled(endpoints(10), balancer)
    picked = Counter(pick_endpoint(snapshot, tried=[0, 1, 2]) for _ in range(700))
    assert set(picked) == {f"10.0.0.{index}:80" for index in range(3, 10)} or balancer == "peak_ewma"
    assert max(picked.values()) < 300 or balancer == "peak_ewma"
