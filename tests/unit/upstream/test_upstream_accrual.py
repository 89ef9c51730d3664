"""Accrual: penalties, the one request that tries an endpoint, and what its result does."""

from __future__ import annotations

import pytest

from mesh_core._testing.resilience import accrual_penalty_ms, awaits_probe, note, probe
from mesh_core.config import Accrual, OutlierDetection
from mesh_core.upstream.endpoint_state import FAILED_ACTIVE_HEALTH_CHECK, ClusterState, EndpointState
from mesh_core.upstream.outlier_detection import OutlierPolicy, uneject


@pytest.mark.parametrize(
    ("penalties", "random", "milliseconds"),
    [(0, 0, 1000), (1, 0, 2000), (5, 0, 32000), (6, 0, 60000), (31, 0, 60000), (4_000_000_000, 0, 60000),
     # Jitter: 0 to 50 percent more.
     (0, 500, 1500), (0, 501, 1000), (0, 250, 1250), (6, 30_000, 90_000), (6, 30_001, 60_000)],
)  # fmt: skip
def test_penalties(penalties: int, random: int, milliseconds: int) -> None:
    """Linkerd's: from 1 s, doubled, up to 60 s, jitter 0.5."""
    assert accrual_penalty_ms(1000, 60_000, 50, penalties, random) == milliseconds


def ejected(rules: Accrual, now_ms: int) -> tuple[OutlierPolicy, ClusterState, EndpointState]:
    cluster = ClusterState()
    endpoint = EndpointState(cluster)
    policy = OutlierPolicy(OutlierDetection(accrual=rules), 10)
    for _ in range(rules.consecutive_failures):
        assert not endpoint.ejected
        note(policy, endpoint, "error", now_ms)
    assert endpoint.ejected
    return policy, cluster, endpoint


RULES = Accrual(consecutive_failures=2, min_penalty_ms=100, max_penalty_ms=400, jitter_percent=0)


def test_one_request_tries_it() -> None:
    policy, cluster, endpoint = ejected(RULES, 1000)
    assert endpoint.ejection_reason == "consecutive_failures"
    assert not awaits_probe(cluster, 1099)
    assert not probe(policy, endpoint, 1099)
    assert awaits_probe(cluster, 1100)
    assert probe(policy, endpoint, 1100)
    assert not probe(policy, endpoint, 1100)
    # Should that one never end, somebody else may, after as long again.
    assert not probe(policy, endpoint, 1199)
    assert probe(policy, endpoint, 1200)


def test_one_that_fails_its_health_checks_is_not_tried() -> None:
    policy, _, endpoint = ejected(RULES, 0)
    endpoint.mark(FAILED_ACTIVE_HEALTH_CHECK, True)
    assert not probe(policy, endpoint, 100)
    endpoint.mark(FAILED_ACTIVE_HEALTH_CHECK, False)
    assert probe(policy, endpoint, 100)


def test_success_lets_it_return() -> None:
    policy, cluster, endpoint = ejected(RULES, 1000)
    # An answer to what was asked before the ejection proves nothing.
    assert note(policy, endpoint, "answered", 1050) == ({}, False)
    assert endpoint.ejected
    assert probe(policy, endpoint, 1100)
    assert note(policy, endpoint, "answered", 1105) == ({}, True)
    assert not endpoint.ejected
    assert (endpoint.probe_at_ms, cluster.ejected) == (0, 0)
    assert not probe(policy, endpoint, 5000)


def test_failures_lengthen_the_penalty() -> None:
    policy, _, endpoint = ejected(RULES, 0)
    now_ms, seen = 0, []
    for _ in range(5):
        seen.append(endpoint.probe_at_ms - now_ms)
        now_ms = endpoint.probe_at_ms
        assert probe(policy, endpoint, now_ms)
        assert note(policy, endpoint, "local_failure", now_ms) == ({}, False)
    assert seen == [100, 200, 400, 400, 400]
    assert endpoint.ejections == 1
    assert uneject(endpoint)
    for _ in range(2):
        note(policy, endpoint, "error", 10_000)
    assert endpoint.probe_at_ms == 10_100


def test_several_results_of_one_try_count_once() -> None:
    policy, _, endpoint = ejected(RULES, 0)
    assert probe(policy, endpoint, 100)
    for _ in range(3):
        note(policy, endpoint, "error", 150)
    assert endpoint.probe_at_ms == 350


def test_the_next_one_is_found_by_the_cluster() -> None:
    cluster = ClusterState()
    rules = OutlierDetection(accrual=RULES, max_ejection_percent=100)
    policy = OutlierPolicy(rules, 2)
    first, second = EndpointState(cluster), EndpointState(cluster)
    for now_ms, endpoint in ((1000, first), (950, second)):
        for _ in range(2):
            note(policy, endpoint, "error", now_ms)
    assert not awaits_probe(cluster, 1049)
    assert awaits_probe(cluster, 1050)


def test_rules_that_come_later() -> None:
    """Who was ejected by other rules is tried too."""
    cluster = ClusterState()
    endpoint = EndpointState(cluster)
    before = OutlierPolicy(OutlierDetection(consecutive_5xx=1), 10)
    note(before, endpoint, "error", 0)
    policy = OutlierPolicy(OutlierDetection(accrual=RULES), 10)
    assert not probe(policy, endpoint, 10_000)
    policy.expect_probe(endpoint, 10_000)
    assert awaits_probe(cluster, 10_000)
    assert probe(policy, endpoint, 10_000)
    assert note(policy, endpoint, "answered", 10_001)[1]
    assert not endpoint.ejected
