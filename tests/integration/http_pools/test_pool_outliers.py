"""Outlier detection of requests: who is ejected for what, by which counters, and how it returns."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from itertools import cycle
from typing import Any

import pytest

from tests.support.http_client import HttpClient
from tests.support.http_messages import get, ok, response
from tests.support.http_oracles import Message
from tests.support.http_origin import Gate, HttpOrigin, Move
from tests.support.http_service import HttpService, to
from tests.support.peer import refusing
from tests.support.waiting import wait_until

Answer = Callable[[Message], bytes]

# Nobody returns by time, and no retry hides who was asked.
STAY = {"base_ejection_time_ms": 600_000, "max_ejection_time_ms": 600_000}
CLUSTER = {"panic_threshold_percent": 0, "retry": {"max_connect_attempts": 1}, "load_balancer": "round_robin"}


def status(code: int, *fields: bytes) -> Answer:
    """An origin that always answers so."""
    return lambda _: response(b"Content-Length: 0", *fields, line=b"HTTP/1.1 %d Such" % code)


def in_turn(answers: Iterator[Answer]) -> Answer:
    """An origin that answers by each of these, once."""

    def answer(message: Message) -> bytes:
        return next(answers)(message)

    return answer


def origins(service: HttpService, count: int, *bad: Answer) -> list[HttpOrigin]:
    """So many origins, of which the last ones answer as `bad` says."""
    made = [service.origin() for _ in range(count)]
    for origin, answers in zip(made[count - len(bad) :], bad, strict=True):
        origin.default = answers
    return made


def serve(service: HttpService, members: list[Any], workers: int = 1, **rules: Any) -> None:
    """Serve them with outlier detection."""
    settings = to(*members, outlier_detection=rules, **CLUSTER)
    timeouts = {"per_try_ms": 500}
    service.serve(settings, routes=[{"cluster": "app", "timeouts": timeouts}], workers=workers)


def ejections(service: HttpService) -> dict[str, int]:
    """What outlier detection has counted, but what is 0."""
    counted = service.proxy.stats("outlier_detection", "app")
    return {name.removeprefix("ejections_"): value for name, value in counted.items() if value}


def ask(client: HttpClient, count: int) -> list[int]:
    """The statuses of so many requests."""
    return [client.exchange(get(b"/")).status for _ in range(count)]


@pytest.mark.parametrize("workers", [1, 2])
def test_errors_in_a_row_eject_at_once(service: HttpService, workers: int) -> None:
    """One of ten answers 503 always: it gets five requests, and no further one."""
    members = origins(service, 10, status(503))
    serve(service, members, workers, **STAY)
    clients = [service.client() for _ in range(4)]
    statuses = [code for _ in range(25) for client in clients for code in ask(client, 1)]
    assert statuses.count(503) == 5
    assert ask(clients[0], 50) == [200] * 50
    assert service.served(members[-1]) == [5]
    # Envoy's: the gateway errors were found too, and are not enforced by default.
    assert ejections(service) == {
        "enforced_total": 1, "detected_consecutive_5xx": 1, "enforced_consecutive_5xx": 1,
        "detected_consecutive_gateway_failure": 1,
    }
    assert service.proxy.gauges()["outlier_detection.ejections_active"] == 1


def test_a_success_between_starts_again(service: HttpService) -> None:
    """Four errors, then an answer: for ever."""
    (origin,) = origins(service, 1)
    turn = iter(range(1000))
    origin.default = lambda message: (ok(b"") if next(turn) % 5 == 4 else status(500)(message))
    serve(service, [origin], **STAY)
    with service.client() as client:
        assert ask(client, 50).count(500) == 40
    assert ejections(service) == {}


def test_gateway_failures_by_themselves(service: HttpService) -> None:
    """A 500 ends their row, not that of all errors."""
    (origin,) = origins(service, 1)
    origin.default = in_turn(map(status, [502, 503, 500, 504, 502, 503]))
    serve(
        service, [origin], consecutive_gateway_failure=3, enforcing_consecutive_gateway_failure=100,
        consecutive_5xx=100, **STAY,
    )
    with service.client() as client:
        assert ask(client, 6) == [502, 503, 500, 504, 502, 503]
        assert ask(client, 1) == [503]
    assert service.served(origin) == [6]
    assert ejections(service)["enforced_consecutive_gateway_failure"] == 1


def test_time_outs_count_as_gateway_failures(service: HttpService) -> None:
    """One of two hangs: each request that it got is answered 504 after the time for a try."""
    members = origins(service, 2)
    members[1].on(b"/", lambda: None)
    serve(service, members, consecutive_5xx=3, **STAY)
    statuses = [service.get(b"/").status for _ in range(10)]
    assert statuses.count(504) == 3
    assert ejections(service)["enforced_consecutive_5xx"] == 1
    assert service.served(*members) == [7, 3]


@pytest.mark.parametrize("fault", [Move.CLOSE, Move.RESET, b"no HTTP at all\r\n\r\n"])
def test_what_is_no_answer_counts(service: HttpService, fault: bytes | Move) -> None:
    """Resets, and what is no response."""
    (origin,) = origins(service, 1)
    origin.on(b"/", *([fault, Move.CLOSE] if isinstance(fault, bytes) else [fault]))
    serve(service, [origin], consecutive_5xx=3, **STAY)
    codes = [service.get(b"/").status for _ in range(4)]
    assert codes[:3] == ([502] if isinstance(fault, bytes) else [503]) * 3
    assert codes[3] == 503
    assert len(origin.connections) == 3


def test_connects_count(service: HttpService) -> None:
    """As 503, unless local-origin failures are counted apart."""
    with refusing() as address:
        serve(service, [address], consecutive_5xx=2, **STAY)
        assert [service.get(b"/").status for _ in range(5)] == [503] * 5
        assert service.cluster()["upstream_cx_connect_fail"] == 2
        assert ejections(service)["enforced_consecutive_5xx"] == 1


def test_local_origin_failures_apart(service: HttpService) -> None:
    """Errors and refusals in turn are two rows, each of its own length; any answer ends the one of local origin."""
    (origin,) = origins(service, 1)
    origin.on(b"/reset", Move.RESET)
    origin.on(b"/500", status(500)(None))  # type: ignore[arg-type]
    serve(
        service, [origin], split_external_local_origin_errors=True, consecutive_5xx=10,
        consecutive_local_origin_failure=3, **STAY,
    )
    for _ in range(4):
        for target in (b"/reset", b"/reset", b"/500"):
            service.get(target)
    assert ejections(service) == {}
    for _ in range(4):
        service.get(b"/reset")
    assert ejections(service) == {
        "enforced_total": 1, "detected_consecutive_local_origin_failure": 1,
        "enforced_consecutive_local_origin_failure": 1,
    }


def test_it_returns_when_its_time_is_over(service: HttpService) -> None:
    """Not with the next sweep only, which is ten seconds away."""
    members = origins(service, 2, status(503))
    serve(service, members, base_ejection_time_ms=100, max_ejection_time_ms=100)
    with service.client() as client:
        assert ask(client, 11).count(503) == 5
        members[1].default = members[0].default
        wait_until(lambda: service.proxy.gauges()["outlier_detection.ejections_active"] == 0, "it is back")
        before = service.served(members[1])[0]
        ask(client, 2)
    assert service.served(members[1])[0] == before + 1


def test_success_rate(service: HttpService) -> None:
    """One of five fails at every second request: never five in a row, and yet too often."""
    members = origins(service, 5)
    turn = iter(range(100_000))
    members[4].default = lambda message: status(500)(message) if next(turn) % 2 else ok(b"")
    serve(service, members, interval_ms=300, success_rate_request_volume=5, **STAY)
    with service.client() as client:
        wait_until(lambda: ask(client, 50) and "enforced_success_rate" in ejections(service), "the ejection")
        assert ask(client, 50) == [200] * 50
    assert ejections(service) == {"enforced_total": 1, "detected_success_rate": 1, "enforced_success_rate": 1}


def test_failure_percentage(service: HttpService) -> None:
    """With time-outs apart, each kind has its percentage."""
    members = origins(service, 3)
    turn = iter(range(100_000))
    members[2].default = lambda message: ok(b"") if next(turn) % 4 == 3 else status(500)(message)
    serve(
        service, members, interval_ms=200, failure_percentage_request_volume=5, failure_percentage_minimum_hosts=3,
        failure_percentage_threshold=60, enforcing_failure_percentage=100, **STAY,
    )
    with service.client() as client:
        wait_until(lambda: ask(client, 50) and "enforced_failure_percentage" in ejections(service), "the ejection")
        assert ask(client, 20) == [200] * 20


# --- accrual ---

ACCRUAL = {"consecutive_failures": 3, "min_penalty_ms": 30, "max_penalty_ms": 120, "jitter_percent": 0}


def test_accrual(service: HttpService) -> None:
    """Failures of all kinds eject; one request at a time tries it, each after a longer pause; the first success lets
    it return."""
    members = origins(service, 4)
    bad = members[3]
    bad.default = in_turn(cycle([status(500), status(503), status(599)]))
    serve(service, members, accrual=ACCRUAL, consecutive_5xx=1, interval_ms=50, base_ejection_time_ms=1)
    with service.client() as client:
        while len(bad.requests) < 3:
            ask(client, 1)
        counted = ejections(service)
        assert counted["enforced_consecutive_failures"] == counted["enforced_total"] == 1
        wait_until(lambda: ask(client, 1) and ejections(service).get("probes", 0) == 4, "it was tried four times")
        assert service.served(bad) == [7]
        assert service.proxy.gauges()["outlier_detection.ejections_active"] == 1
        bad.default = members[0].default
        wait_until(
            lambda: ask(client, 1) and not service.proxy.gauges()["outlier_detection.ejections_active"], "it is back"
        )
        assert service.served(bad) == [8]
        before = service.served(bad)[0]
        ask(client, 40)
    assert service.served(bad) == [before + 10]
    assert ejections(service)["enforced_total"] == 1


def test_an_endpoint_is_tried_by_one_request_only(service: HttpService) -> None:
    """While that waits, the others go elsewhere, from all workers."""
    members = origins(service, 2)
    gate = Gate()
    members[1].on(b"/", Move.RESET)
    rules = ACCRUAL | {"min_penalty_ms": 1500, "max_penalty_ms": 1500}
    service.serve(to(*members, outlier_detection={"accrual": rules}, **CLUSTER), workers=2)
    while len(members[1].connections) < 3:
        service.get(b"/")
    members[1].on(b"/", gate, ok(b"well"))
    clients: list[HttpClient] = []
    while not ejections(service).get("probes"):
        before = len(members[0].requests)
        clients.append(service.client())
        clients[-1].send(get(b"/"))
        wait_until(
            lambda before=before: len(members[0].requests) > before or ejections(service).get("probes"), "it went on"
        )
    tried_s = time.monotonic()
    for client in clients[:-1]:
        assert client.response().status == 200
    assert [service.get(b"/").status for _ in range(10)] == [200] * 10
    # After as long again somebody else may try.
    assert ejections(service)["probes"] <= 1 + (time.monotonic() - tried_s) // 1.4
    gate.open()
    assert clients[-1].response().body == b"well"
    wait_until(lambda: not service.proxy.gauges()["outlier_detection.ejections_active"], "it is back")


# --- passive and active verdicts together ---

def test_a_passed_check_lets_it_return(service: HttpService) -> None:
    """A check that asks for an answer; one that only connects proves nothing against errors."""
    members = origins(service, 2, status(503))
    members[1].on(b"/healthz", ok(b"well"))
    checks = [{"type": "tcp", "interval_ms": 20}]
    rules = STAY | {"consecutive_5xx": 2}
    service.serve(to(*members, outlier_detection=rules, health_checks=checks, **CLUSTER))
    with service.client() as client:
        ask(client, 6)
        passed = service.proxy.stats("health_check", "app")["success"]
        wait_until(lambda: service.proxy.stats("health_check", "app")["success"] > passed + 4, "more checks")
        assert service.proxy.gauges()["outlier_detection.ejections_active"] == 1
        checks = [{"type": "http", "interval_ms": 20, "http": {"path": "/healthz"}}]
        service.apply(to(*members, outlier_detection=rules, health_checks=checks, **CLUSTER))
        wait_until(lambda: not service.proxy.gauges()["outlier_detection.ejections_active"], "it is back")
