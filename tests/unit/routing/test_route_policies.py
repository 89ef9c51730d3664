"""Formulas and tables of traffic policies: origins, token buckets, lots."""

from __future__ import annotations

import threading
from typing import Any

import pytest

from mesh_core._testing.policies import Buckets, Policies, draws
from mesh_core.config.schema import Cors, Route, VirtualHost

SECOND = 1_000_000_000


def allows(origin: str, **cors: Any) -> bool:
    route = Route(cluster="app", cors=Cors(**cors))
    return bool(Policies(route, VirtualHost(name="a", hosts=("*",))).allows(origin.encode()))


@pytest.mark.parametrize(
    ("pattern", "origin", "allowed"),
    [
        ("https://a.example", "https://a.example", True),
        ("https://a.example", "HTTPS://A.example", True),
        ("HTTPS://A.Example", "https://a.example", True),
        ("https://a.example", "http://a.example", False),
        ("https://a.example", "https://a.example:8443", False),
        ("https://a.example:443", "https://a.example", True),
        ("http://a.example:80", "http://a.example", True),
        ("http://a.example:443", "http://a.example:443", True),
        ("https://a.example:8443", "https://a.example:8443", True),
        ("https://a.example", "https://a.example.evil", False),
        ("https://a.example", "https://b.a.example", False),
        ("https://*.a.example", "https://b.a.example", True),
        ("https://*.a.example", "https://c.b.A.example", True),
        ("https://*.a.example", "https://a.example", False),
        ("https://*.a.example", "https://.a.example", False),
        ("https://*.a.example", "https://ba.example", False),
        ("https://*.a.example", "https://evil/.a.example", False),
        ("https://*.a.example", "https://evil@b.a.example", False),
        ("https://*.a.example", "https://b.a.example:1", False),
        ("https://*.a.example:1", "https://b.a.example:1", True),
        ("https://*.a.example:1", "https://b.a.example", False),
        ("https://*", "https://anything.at.all", True),
        ("https://*", "https://", False),
        ("https://*", "http://anything", False),
        ("https://[::1]:8443", "https://[::1]:8443", True),
        ("https://[::1]:443", "https://[::1]", True),
        ("null", "null", True),
        ("*", "null", True),
        ("*", "https://anything", True),
        ("*", "", False),
        ("*", "x" * 320, True),
        ("*", "x" * 321, False),
    ],
)
def test_origins(pattern: str, origin: str, allowed: bool) -> None:
    assert allows(origin, allow_origins=(pattern,)) is allowed


def test_origins_by_regular_expression() -> None:
    regexes = {"allow_origin_regexes": ("https://v[0-9]+[.]a[.]example", "file://.*")}
    assert allows("https://v12.a.example", **regexes)
    assert allows("file:///x", **regexes)
    assert not allows("https://v12.a.example.evil", **regexes)
    assert not allows("xhttps://v12.a.example", **regexes)


# --- token buckets ---


def test_a_bucket_begins_full_and_fills_evenly() -> None:
    buckets = Buckets(3, 2, 1000)
    assert [buckets.take(SECOND)[0] for _ in range(4)] == [True, True, True, False]
    assert buckets.take(SECOND) == (False, False, 0, SECOND // 2, 3 * SECOND // 2)
    assert not buckets.take(SECOND + SECOND // 2 - 1)[0]
    assert buckets.take(SECOND + SECOND // 2) == (True, False, 0, 0, 3 * SECOND // 2)
    # Never more than it holds.
    assert [buckets.take(100 * SECOND)[2] for _ in range(3)] == [2, 1, 0]
    assert not buckets.take(100 * SECOND)[0]


@pytest.mark.parametrize(
    ("max_tokens", "per_fill", "interval_ms", "step_ns", "tries"),
    [(1, 1, 1000, SECOND // 10, 100), (5, 10, 1000, SECOND // 40, 400), (7, 3, 250, SECOND // 100, 300)],
)
def test_over_time_the_rate_is_the_one_that_is_written(
    max_tokens: int, per_fill: int, interval_ms: int, step_ns: int, tries: int
) -> None:
    buckets = Buckets(max_tokens, per_fill, interval_ms)
    got = sum(buckets.take(SECOND + each * step_ns)[0] for each in range(tries))
    came = (tries - 1) * step_ns * per_fill // (interval_ms * 1_000_000)
    assert abs(got - (max_tokens + came)) <= 1


def test_a_time_before_the_last_one_takes_no_more() -> None:
    """Workers' clocks differ by what one has waited since it read its own."""
    buckets = Buckets(2, 1, 1000)
    assert buckets.take(10 * SECOND)[0]
    assert buckets.take(9 * SECOND)[0] is False


def test_keys_have_buckets_of_their_own() -> None:
    buckets = Buckets(1, 1, 1000, 100)
    keys = [(each + 1) << 32 | each for each in range(50)]
    assert all(buckets.take(SECOND, key)[0] for key in keys)
    assert not any(buckets.take(SECOND, key)[0] for key in keys)
    assert all(buckets.take(2 * SECOND, key)[0] for key in keys)


def test_a_full_bucket_makes_room() -> None:
    buckets = Buckets(2, 1, 1000, 1)
    assert all(not buckets.take(SECOND, key)[1] for key in range(1, 9))
    assert buckets.take(SECOND, 9)[:3] == (True, True, 1)
    assert buckets.take(SECOND, 10)[:3] == (True, True, 0)
    assert buckets.take(SECOND, 11)[:2] == (False, True)
    # All the others are full again, and so is the shared one.
    assert buckets.take(2 * SECOND, 11)[:3] == (True, False, 1)
    assert buckets.take(2 * SECOND, 1)[:3] == (True, False, 1)


@pytest.mark.parametrize("descriptors", [0, 16])
def test_threads_together_take_no_more_than_there_is(descriptors: int) -> None:
    buckets = Buckets(10_000, 1, 1000, descriptors)
    got: list[int] = []
    threads = [threading.Thread(target=lambda: got.append(buckets.take_many(SECOND, 7, 6_000))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(got) == 10_000


# --- lots ---


def test_lots() -> None:
    assert draws(0, 1, 1000) == 0
    assert draws(1_000_000, 1, 1000) == 1000
    # With this seed; 3 standard deviations are 65 and 9.
    assert abs(draws(500_000, 7, 1000) - 500) <= 65
    assert abs(draws(10_000, 7, 1000) - 10) <= 9
    assert draws(500_000, 7, 1000) == draws(500_000, 7, 1000)
