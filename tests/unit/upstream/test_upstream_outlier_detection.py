"""Outlier detection as workers take part in it: failures in a row, the bound on ejections, multiplier and jitter."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from mesh_core._testing.resilience import (
    connect_failed,
    connect_succeeded,
    failures_contend,
    is_moved_by_success,
    note,
)
from mesh_core.config import Accrual, OutlierDetection
from mesh_core.upstream.endpoint_state import REMOVED, ClusterState, EndpointState
from mesh_core.upstream.outlier_detection import OutlierPolicy, uneject


def policy(endpoints: int = 10, **rules: Any) -> OutlierPolicy:
    return OutlierPolicy(OutlierDetection(**rules), endpoints)


def test_five_failures_in_a_row_eject() -> None:
    rules, endpoint = policy(), EndpointState(ClusterState())
    assert [connect_failed(rules, endpoint, 1000) for _ in range(5)] == ["none"] * 4 + ["ejected"]
    assert endpoint.ejected
    assert not endpoint.healthy
    assert (endpoint.ejections, endpoint.ejection_multiplier, endpoint.ejected_at_ms) == (1, 1, 1000)


def test_a_success_between_starts_again() -> None:
    rules, endpoint = policy(consecutive_local_origin_failure=2), EndpointState(ClusterState())
    for _ in range(10):
        assert connect_failed(rules, endpoint, 0) == "none"
        connect_succeeded(rules, endpoint)
    assert endpoint.take_connects() == (10, 10)
    assert endpoint.take_connects() == (0, 0)


def test_failures_from_before_an_ejection_do_not_count_after_it() -> None:
    rules, endpoint = policy(consecutive_local_origin_failure=3), EndpointState(ClusterState())
    for _ in range(3):
        connect_failed(rules, endpoint, 0)
    # Connections that were under way still fail.
    assert [connect_failed(rules, endpoint, 0) for _ in range(2)] == ["none"] * 2
    assert uneject(endpoint)
    assert [connect_failed(rules, endpoint, 0) for _ in range(3)] == ["none", "none", "ejected"]


def test_an_ejected_endpoint_is_not_ejected_again() -> None:
    rules, cluster = policy(consecutive_local_origin_failure=1), ClusterState()
    endpoint = EndpointState(cluster)
    assert [connect_failed(rules, endpoint, 0) for _ in range(3)] == ["ejected", "none", "none"]
    assert (endpoint.ejections, cluster.ejected, cluster.ejections) == (1, 1, 1)
    assert [uneject(endpoint), uneject(endpoint)] == [True, False]
    assert cluster.ejected == 0


@pytest.mark.parametrize(
    ("endpoints", "percent", "always_one", "most"),
    [(10, 10, False, 1), (9, 10, False, 0), (9, 10, True, 1), (29, 10, True, 2), (30, 10, True, 3), (4, 50, False, 2),
     (3, 100, False, 3), (3, 0, True, 1), (3, 0, False, 0)],
)  # fmt: skip
def test_the_most_that_are_ejected(endpoints: int, percent: int, always_one: bool, most: int) -> None:
    rules = policy(
        endpoints,
        max_ejection_percent=percent,
        always_eject_one_host=always_one,
        consecutive_local_origin_failure=1,
    )
    cluster = ClusterState()
    members = [EndpointState(cluster) for _ in range(endpoints)]
    verdicts = [connect_failed(rules, each, 0) for each in members]
    assert verdicts == ["ejected"] * most + ["overflow"] * (endpoints - most)
    assert cluster.ejected == most
    if most:
        uneject(members[0])
        assert connect_failed(rules, members[-1], 0) == ("ejected" if most < endpoints else "none")


def test_detect_only() -> None:
    rules = policy(consecutive_local_origin_failure=1, enforcing_consecutive_local_origin_failure=0)
    endpoint = EndpointState(ClusterState())
    assert [connect_failed(rules, endpoint, 0, number) for number in range(100)] == ["tolerated"] * 100
    assert endpoint.healthy


def test_a_part_is_enforced() -> None:
    rules = policy(consecutive_local_origin_failure=1, enforcing_consecutive_local_origin_failure=30)
    verdicts = []
    for number in range(100):
        endpoint = EndpointState(ClusterState())
        verdicts.append(connect_failed(rules, endpoint, 0, number))
    assert (verdicts.count("ejected"), verdicts.count("tolerated")) == (30, 70)


def test_the_multiplier_stops_at_the_longest_ejection() -> None:
    rules = policy(consecutive_local_origin_failure=1, base_ejection_time_ms=100, max_ejection_time_ms=250)
    endpoint = EndpointState(ClusterState())
    multipliers = []
    for _ in range(5):
        connect_failed(rules, endpoint, 0)
        multipliers.append(endpoint.ejection_multiplier)
        uneject(endpoint)
    assert multipliers == [1, 2, 3, 3, 3]
    for _ in range(5):
        endpoint.lower_ejection_multiplier()
    assert endpoint.ejection_multiplier == 0


def test_jitter_is_within_its_bound() -> None:
    rules = policy(consecutive_local_origin_failure=1, max_ejection_time_jitter_ms=3)
    endpoint = EndpointState(ClusterState())
    seen = set()
    for number in range(64):
        connect_failed(rules, endpoint, 0, number << 32)
        seen.add(endpoint.ejection_jitter_ms)
        uneject(endpoint)
    assert seen == {0, 1, 2, 3}


def test_a_removed_endpoint_is_not_ejected() -> None:
    rules, endpoint = policy(consecutive_local_origin_failure=1), EndpointState(ClusterState())
    endpoint.mark(REMOVED, True)
    assert connect_failed(rules, endpoint, 0) == "none"
    assert not endpoint.ejected


def test_an_endpoint_that_goes_while_ejected_leaves_its_place() -> None:
    rules, cluster = policy(consecutive_local_origin_failure=1), ClusterState()
    endpoint = EndpointState(cluster)
    connect_failed(rules, endpoint, 0)
    assert cluster.ejected == 1
    del endpoint
    assert cluster.ejected == 0


def test_workers_together_eject_no_more_than_allowed() -> None:
    rules = policy(8, consecutive_local_origin_failure=1, max_ejection_percent=50)
    cluster = ClusterState()
    members = [EndpointState(cluster) for _ in range(8)]
    with ThreadPoolExecutor(4) as pool:
        results = list(pool.map(lambda _: failures_contend(rules, members, 20_000), range(4)))
    ejections, returns = (sum(each) for each in zip(*results, strict=True))
    assert ejections > 4
    assert cluster.ejected == sum(each.ejected for each in members) == ejections - returns
    assert cluster.ejected <= 4


# --- requests ---

R = {"ok": "answered", "5": "error", "g": "gateway_error", "l": "local_failure"}


def ejected_after(results: str, **rules: Any) -> int | None:
    """After how many of these results (R, a word each) the endpoint is ejected."""
    rule, endpoint = policy(**rules), EndpointState(ClusterState())
    for number, each in enumerate(results.split(), 1):
        note(rule, endpoint, R[each])
        if endpoint.ejected:
            return number
    return None


@pytest.mark.parametrize(
    ("results", "rules", "after"),
    [
        ("5 5 5 5 5", {}, 5),
        ("5 g l 5 g", {}, 5),
        ("5 5 5 5 ok 5 5 5 5", {}, None),
        ("l l l l l", {}, 5),
        ("5 5", {"consecutive_5xx": 2}, 2),
        ("5 5 5 5 5 5", {"enforcing_consecutive_5xx": 0}, None),
        # Gateway failures: enforced only on demand, ended by another error.
        ("g g 5 g g g", {"consecutive_gateway_failure": 3, "enforcing_consecutive_gateway_failure": 100,
                         "consecutive_5xx": 100}, 6),
        ("g g l", {"consecutive_gateway_failure": 3, "enforcing_consecutive_gateway_failure": 100}, 3),
        # Apart: each in its row; any answer ends that of local origin, but only a good one the other.
        ("l l l l 5 l l l l 5 l l l l 5 l l l l 5 5", {"split_external_local_origin_errors": True}, 21),
        ("l l l l l", {"split_external_local_origin_errors": True}, 5),
        ("5 5 l 5 5 l 5", {"split_external_local_origin_errors": True}, 7),
        ("l l l", {"split_external_local_origin_errors": True, "consecutive_local_origin_failure": 3}, 3),
        ("l l l l l l", {"split_external_local_origin_errors": True,
                         "enforcing_consecutive_local_origin_failure": 0}, None),
        # Accrual counts all kinds, and nothing else counts.
        ("5 l g 5 l g 5", {"accrual": Accrual()}, 7),
        ("5 l g 5 l g ok 5 l g 5 l g", {"accrual": Accrual(), "consecutive_5xx": 1}, None),
        ("l l", {"accrual": Accrual(consecutive_failures=2), "split_external_local_origin_errors": True}, 2),
    ],
)  # fmt: skip
def test_rows_of_results(results: str, rules: dict[str, Any], after: int | None) -> None:
    assert ejected_after(results, **rules) == after


def test_what_is_counted() -> None:
    rules = policy(consecutive_5xx=1, consecutive_gateway_failure=1)
    endpoint = EndpointState(ClusterState())
    assert note(rules, endpoint, "gateway_error", 7) == (
        {"detected_consecutive_gateway_failure": 1, "detected_consecutive_5xx": 1, "enforced_consecutive_5xx": 1,
         "enforced_total": 1}, True,
    )  # fmt: skip
    assert endpoint.ejection_reason == "consecutive_5xx"
    assert note(rules, endpoint, "gateway_error", 7) == ({}, False)
    # A connection of TCP says nothing of requests, which are what the rules are about.
    assert endpoint.take_connects() == (0, 0)


def test_a_success_has_something_to_do_only_after_a_failure() -> None:
    rules, endpoint = policy(), EndpointState(ClusterState())
    assert not is_moved_by_success(endpoint)
    note(rules, endpoint, "error")
    assert is_moved_by_success(endpoint)
    note(rules, endpoint, "answered")
    assert not is_moved_by_success(endpoint)
