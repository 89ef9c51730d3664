"""The race of keep-alive, provoked thousands of times: a connection ends while the next request is on its way to it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.support.http_service import HttpService, to
from tests.support.idle_race import IdleRace

ROUNDS = 1200
APART_US = 120  # a request takes about half as long to get there


@pytest.fixture
def race() -> Iterator[IdleRace]:
    """An origin and a client that are still to be connected by a proxy."""
    with IdleRace() as made:
        yield made


def run(service: HttpService, race: IdleRace, method: bytes, end_first: bool, **http: Any) -> dict[str, int]:
    """Race so often, at every distance between the two; the counters of the cluster."""
    service.serve(to(race.address, http={"learn_idle_timeout": False} | http))
    race.connect(service.proxy.address("in"))
    for number in range(ROUNDS):
        race.ask(number, method, end_first, number * APART_US // ROUNDS)
    return service.cluster()


@pytest.mark.parametrize("method", [b"GET", b"PUT", b"POST"])
def test_the_connection_ends_before_the_request_comes(service: HttpService, race: IdleRace, method: bytes) -> None:
    """Whether the end is seen in time, or the request goes and nobody can have read it."""
    stats = run(service, race, method, end_first=True)
    assert race.failed == []
    assert race.seen == dict.fromkeys(range(ROUNDS), 1)
    assert stats["upstream_cx_idle_ended"] + stats["upstream_rq_retry_idle_race"] >= ROUNDS - 1


def test_the_connection_ends_with_the_request_unread(service: HttpService, race: IdleRace) -> None:
    """Nothing proves that; what may be sent twice is."""
    stats = run(service, race, b"GET", end_first=False)
    assert race.failed == []
    assert set(race.seen) == set(range(ROUNDS))
    assert stats["upstream_rq_retry_idle_race"] > 0


def test_what_must_not_be_sent_twice_is_not(service: HttpService, race: IdleRace) -> None:
    """Each is answered by the origin once, or by 503 and perhaps not processed at all."""
    run(service, race, b"POST", end_first=False)
    assert set(race.failed) <= {b"HTTP/1.1 503 Service Unavailable"}
    assert set(race.seen.values()) == {1}
    assert len(race.seen) + len(race.failed) >= ROUNDS


@pytest.mark.parametrize("end_first", [True, False])
def test_and_takes_no_connection_that_may_be_about_to_end(
    service: HttpService, race: IdleRace, end_first: bool
) -> None:
    """With no age that is young enough, a POST never meets the race."""
    stats = run(service, race, b"POST", end_first, max_unrepeatable_idle_ms=0)
    assert race.failed == []
    assert race.seen == dict.fromkeys(range(ROUNDS), 1)
    assert stats["upstream_rq_retry_idle_race"] == 0
