"""Formulas of retries and of idle time-outs, by tables."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mesh_core._testing.retries import (
    charge,
    http_date,
    keep_alive,
    learn,
    limits,
    refund,
    retry_after,
    retry_after_interval_ms,
)
from mesh_core.upstream.endpoint_state import ClusterState, EndpointState

EXAMPLE_S = 784111777


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        (b"Sun, 06 Nov 1994 08:49:37 GMT", EXAMPLE_S),  # RFC 9110's examples
        (b"Sunday, 06-Nov-94 08:49:37 GMT", EXAMPLE_S),
        (b"Sun Nov  6 08:49:37 1994", EXAMPLE_S),
        (b"Thu, 01 Jan 1970 00:00:00 GMT", 0), (b"Wed, 31 Dec 1969 23:59:59 GMT", -1),
        (b"Sun, 06 Nov 1994 08:49:37", -1), (b"Sun, 06 Nov 1994 08:49:37 GMT ", -1), (b"", -1), (b"Sun", -1),
        (b"Sun, 32 Nov 1994 08:49:37 GMT", -1), (b"Sun, 06 Nov 1994 25:49:37 GMT", -1), (b"1" * 100, -1),
    ],
)  # fmt: skip
def test_dates(text: bytes, seconds: int) -> None:
    assert http_date(text) == seconds


@given(st.binary(max_size=64))
def test_anything_as_a_date(text: bytes) -> None:
    assert http_date(text) >= -1


@given(st.datetimes(datetime(1970, 1, 1), datetime(9999, 12, 31)))
def test_every_date(moment: datetime) -> None:
    moment = moment.replace(microsecond=0, tzinfo=UTC)
    assert http_date(moment.strftime("%a, %d %b %Y %H:%M:%S GMT").replace(
        f" {moment:%Y} ", f" {moment.year:04} ").encode()) == moment.timestamp()


@pytest.mark.parametrize(
    ("value", "milliseconds"),
    [
        (b"0", 0), (b"120", 120_000), (b"999999999", 999_999_999_000), (b"1000000000", -1), (b"", -1), (b"-1", -1),
        (b"1.5", -1), (b" 1", -1), (b"soon", -1), (b"Sun, 06 Nov 1994 08:49:37 GMT", 7000),
        (b"Sun, 06 Nov 1994 08:49:00 GMT", 0),
    ],
)  # fmt: skip
def test_retry_after(value: bytes, milliseconds: int) -> None:
    assert retry_after(value, EXAMPLE_S - 7) == milliseconds


@given(st.integers(0, 10**9), st.integers(0, 2**64 - 1))
def test_the_wait_is_within_half_as_much_again(after_ms: int, number: int) -> None:
    """Envoy: [t, 1.5 t]."""
    assert after_ms <= retry_after_interval_ms(after_ms, number) <= 1.5 * after_ms


@pytest.mark.parametrize(
    ("value", "milliseconds"),
    [
        (b"timeout=5", 5000), (b"max=100, Timeout=5", 5000), (b"timeout=0", 0), (b"timeout=999999", 999_999_000),
        (b"timeout=1000000", -1), (b"timeout=", -1), (b"timeout=x", -1), (b"timeout=5s", -1), (b"max=5", -1),
        (b"", -1), (b"timeout = 5", -1),
    ],
)  # fmt: skip
def test_keep_alive(value: bytes, milliseconds: int) -> None:
    assert keep_alive(b"HTTP/1.1 200 OK\r\nA: timeout=9\r\nKeep-Alive: " + value + b"\r\n\r\n") == milliseconds


def test_no_keep_alive() -> None:
    assert keep_alive(b"HTTP/1.1 200 OK\r\nA: timeout=9\r\n\r\n") == -1


@pytest.mark.parametrize(
    ("percent", "requests", "active", "granted"),
    [
        (20, 0, 1, 10), (20, 100, 1, 10), (0, 10**9, 100, 10), (20, 10**9, 1, 10), (20, 10**9, 1000, 100),
        (100, 10**9, 100, 50),
    ],
)  # fmt: skip
def test_the_credit_at_hand(percent: int, requests: int, active: int, granted: int) -> None:
    """However many requests there were in good times."""
    cluster = ClusterState()
    count = 0
    while count <= granted and charge(cluster, percent, requests, active):
        count += 1
    assert count == granted


@pytest.mark.parametrize(("percent", "allowed"), [(20, 1010), (0, 1010), (1, 60)])
def test_the_credit_in_the_long_run(percent: int, allowed: int) -> None:
    """Half of that part of the requests, and ten; without a percentage of its own it does not run dry either."""
    cluster = ClusterState()
    assert sum(charge(cluster, percent, requests, 1) for requests in range(1, 10_001) for _ in range(3)) == allowed


def test_what_helped_is_given_back() -> None:
    cluster = ClusterState()
    for requests in range(1, 1000):
        assert [charge(cluster, 20, requests, 1) for _ in range(3)] == [True] * 3
        refund(cluster, 3)


@pytest.mark.parametrize(
    ("events", "known", "limit", "unrepeatable"),
    [
        ([], None, None, 1000),
        ([("ended", 5000)], 5000, 4375, 1000),
        ([("announced", 5000)], 5000, 4375, 1000),
        ([("ended", 5000), ("ended", 1600)], 1600, 1400, 800),
        ([("ended", 1600), ("ended", 2000)], 1700, 1488, 850),
        ([("announced", 5000), ("announced", 6000)], 5000, 4375, 1000),
        ([("announced", 5000), ("announced", 2000)], 2000, 1750, 1000),
        ([("ended", 100), ("survived", 200), ("survived", 150)], 200, 175, 100),
        ([("survived", 200)], None, None, 1000),
        ([("ended", 60)], 60, 40, 30),
        ([("ended", 10)], 10, -10, -10),
        ([("ended", 0)], 1, -19, -19),
    ],
)  # fmt: skip
def test_idle_timeouts(
    events: list[tuple[str, int]], known: int | None, limit: int | None, unrepeatable: int
) -> None:
    endpoint = EndpointState(ClusterState())
    for how, milliseconds in events:
        learn(endpoint, how, milliseconds)
    assert endpoint.idle_timeout_ms == known
    assert limits(endpoint, 1000) == (limit, unrepeatable)
