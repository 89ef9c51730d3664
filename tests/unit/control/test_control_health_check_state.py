"""What results of active health checks make of an endpoint, and when the next check is due."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mesh_core.config import HealthCheck, Payload
from mesh_core.control.upstream_health.health_check_answer import answers, payload_bytes
from mesh_core.control.upstream_health.health_check_state import HealthState, interval_ms


def states(results: str, **rules: int) -> str:
    """Healthy (+) or not (-) after each result, of which each is passed (+) or failed (-)."""
    state, checks = HealthState(), HealthCheck(type="tcp", **rules)
    after = ""
    for result in results:
        before = state.healthy
        assert state.take(result == "+", checks) == (state.healthy != before)
        after += "+" if state.healthy else "-"
    return after


@pytest.mark.parametrize(
    ("results", "after"),
    [
        ("+", "+"),  # the first pass of all is enough
        ("-+", "--"),
        ("-++", "--+"),
        ("+--+--", "++++++"),
        ("+---", "+++-"),
        ("+---+-++", "+++----+"),
    ],
)
def test_thresholds(results: str, after: str) -> None:
    assert states(results, healthy_threshold=2, unhealthy_threshold=3) == after


def test_a_final_failure_needs_no_threshold() -> None:
    state, checks = HealthState(), HealthCheck(type="tcp", unhealthy_threshold=9)
    assert state.take(True, checks)
    assert not state.take(False, checks)
    assert state.take(False, checks, final=True)
    assert not state.healthy


def test_thresholds_of_one() -> None:
    assert states("-+-+", healthy_threshold=1, unhealthy_threshold=1) == "-+-+"


@given(st.text("+-", max_size=40), st.integers(1, 5), st.integers(1, 5))
def test_a_change_has_its_threshold_behind_it(results: str, healthy: int, unhealthy: int) -> None:
    after = "-" + states(results, healthy_threshold=healthy, unhealthy_threshold=unhealthy)
    for place in range(1, len(results) + 1):
        if after[place] == after[place - 1]:
            continue
        wanted = healthy if after[place] == "+" else unhealthy
        assert results[:place].endswith(after[place] * wanted) or results[:place] == "+"


def test_intervals() -> None:
    rules = HealthCheck(
        type="tcp", interval_ms=1000, unhealthy_interval_ms=200, no_traffic_interval_ms=5000,
        interval_jitter_percent=50,
    )  # fmt: skip
    assert interval_ms(rules, healthy=True, traffic=True, chance=0) == 1000
    assert interval_ms(rules, healthy=True, traffic=True, chance=1) == 1500
    assert interval_ms(rules, healthy=False, traffic=True, chance=0.5) == 250
    assert interval_ms(rules, healthy=False, traffic=False, chance=0) == 5000


def test_intervals_by_default() -> None:
    rules = HealthCheck(type="tcp")
    for healthy in (True, False):
        for traffic in (True, False):
            assert interval_ms(rules, healthy=healthy, traffic=traffic, chance=0) == 10_000


@pytest.mark.parametrize(
    ("data", "wanted", "found"),
    [(b"", [], True), (b"", [b"a"], False), (b"xaxb", [b"a", b"b"], True), (b"ba", [b"a", b"b"], False),
     (b"aa", [b"a", b"a", b"a"], False), (b"ab", [b"ab", b"b"], False)],
)  # fmt: skip
def test_answers(data: bytes, wanted: list[bytes], found: bool) -> None:
    assert answers(data, wanted) is found


def test_payloads() -> None:
    assert payload_bytes(Payload(text="é\r\n")) == "é\r\n".encode()
    assert payload_bytes(Payload(hex="00fF")) == b"\x00\xff"
