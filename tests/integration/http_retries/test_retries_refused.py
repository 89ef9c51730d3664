"""Retries that the circuit breaker or the budget does not allow: who has places, and what the request says of it."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.http_client import HttpClient
from tests.support.http_messages import get, ok, response
from tests.support.http_origin import Gate, HttpOrigin, Move, Step
from tests.support.http_service import HttpService, to
from tests.support.peer import refusing
from tests.support.waiting import wait_until

# Retries that fail all the same are allowed this many times before requests have earned any (retry.pxd).
CREDIT_RESERVE = 10


def route(prefix: str, priority: str, **budget: int) -> dict[str, Any]:
    """One whose requests are tried again once, at most."""
    return {
        "matches": [{"path": {"prefix": prefix}}],
        "cluster": "app",
        "priority": priority,
        "retry": {"attempts": 1, "base_interval_ms": 1, "budget": {"max_wait_ms": 0} | budget},
    }


def hanging(service: HttpService, origin: HttpOrigin, gate: Gate, target: bytes) -> HttpClient:
    """A request whose retry waits for its answer."""
    first = iter([True])

    def fails_once() -> None:
        if next(first, False):
            raise ConnectionResetError

    origin.on(target, fails_once, gate, ok(b"late"))
    client = service.client()
    client.send(get(target))
    gate.wait_reached()
    return client


def breakers(service: HttpService, priority: str) -> tuple[int, int]:
    """Whether it is open, and how much is left."""
    gauges = service.proxy.gauges()
    prefix = f"circuit_breakers.{priority}"
    return gauges[f"{prefix}.rq_retry_open"], gauges[f"{prefix}.remaining_retries"]


def test_the_circuit_breaker(service: HttpService) -> None:
    """Each priority has retries of its own; those of low priority are the default's."""
    origin = service.origin()
    origin.on(b"/low/dies", Move.CLOSE)
    limits = {"max_retries": 1, "high": {"max_retries": 2}}
    routes = [route("/high", "high"), route("/low", "low"), route("/", "default")]
    service.serve(to(origin, circuit_breakers=limits), routes=routes, access_log=service.log)
    assert (breakers(service, "default"), breakers(service, "high")) == ((0, 1), (0, 2))
    gate = Gate()
    clients = [hanging(service, origin, gate, b"/held")]
    assert (breakers(service, "default"), breakers(service, "high")) == ((1, 0), (0, 2))
    assert service.get(b"/low/dies").status == 503
    clients += [hanging(service, origin, gate, target) for target in (b"/high/1", b"/high/2")]
    assert breakers(service, "high") == (1, 0)
    assert service.cluster()["upstream_rq_retry_overflow"] == 1
    gate.open()
    assert [client.response().body for client in clients] == [b"late"] * 3
    (refused,) = (each for each in service.proxy.records(4) if each["path"] == "/low/dies")
    assert (refused["response_flags"], refused["response_code_details"]) == (
        "UC,UO", "upstream_closed_before_response")
    assert (breakers(service, "default"), breakers(service, "high")) == ((0, 1), (0, 2))


def test_the_budget_holds_for_all_priorities_together(service: HttpService) -> None:
    origin = service.origin()
    origin.on(b"/high/dies", Move.CLOSE)
    only = {"percent": 0, "min_concurrency": 1}
    service.serve(
        to(origin, circuit_breakers={"max_retries": 5}),
        routes=[route("/high", "high", **only), route("/", "low", **only)])
    assert "circuit_breakers.high.remaining_retries" not in service.proxy.gauges()
    gate = Gate()
    client = hanging(service, origin, gate, b"/held")
    assert service.get(b"/high/dies").status == 503
    assert breakers(service, "default") == (0, 4)
    assert service.cluster()["upstream_rq_retry_overflow"] == 1
    gate.open()
    assert client.response().body == b"late"


def test_a_retry_waits_for_its_place(service: HttpService) -> None:
    """As long as the budget lets it, it waits for one of the breaker too."""
    origin = service.origin()
    service.serve(
        to(origin, circuit_breakers={"max_retries": 1}), routes=[route("/", "default", max_wait_ms=60_000)])
    gate, other = Gate(), Gate()
    first = hanging(service, origin, gate, b"/first")
    once = iter([True])

    def fails_once() -> None:
        if next(once, False):
            raise ConnectionResetError

    origin.on(b"/second", fails_once, other, ok(b"second"))
    second = service.client()
    second.send(get(b"/second"))
    wait_until(lambda: service.cluster()["upstream_rq_retry_backoff_exponential"] == 2, "it is to be tried again")
    gate.open()
    assert first.response().body == b"late"
    other.wait_reached()
    other.open()
    assert second.response().body == b"second"
    assert service.cluster()["upstream_rq_retry_overflow"] == 0


@pytest.mark.parametrize(
    ("steps", "status", "flags", "detail"),
    [
        ((Move.CLOSE,), 503, "UC,UO", "upstream_closed_before_response"),
        ((Move.RESET,), 503, "UC,UO", "upstream_closed_before_response"),
        ((b"nonsense\r\n\r\n",), 502, "UO,UPE", "http1.bad_start_line"),
        ((response(b"X: " + b"x" * 2000, b"Content-Length: 0"),), 502, "UO,UPE", "http1.head_too_large"),
        ((Gate(),), 504, "UO,UT", "per_try_timeout"),
        # What the endpoint has said is gone by then.
        ((response(b"Content-Length: 0", line=b"HTTP/1.1 502 No"),), 503, "UO", "retry_overflow"),
    ],
    ids=["closed", "reset", "nonsense", "large", "late", "answered"],
)  # fmt: skip
def test_what_is_said_without_credit(
    service: HttpService, steps: tuple[Step, ...], status: int, flags: str, detail: str
) -> None:
    """Why the last attempt failed is not forgotten: its flag stands beside UO."""
    origin = service.origin()
    origin.on(b"/dies", Move.CLOSE)
    origin.on(b"/", *steps)
    rules = route("/", "default", percent=1, min_concurrency=1) | {"timeouts": {"per_try_ms": 60}}
    service.serve(to(origin, http={"max_header_bytes": 1024}), routes=[rules], access_log=service.log)
    assert {service.get(b"/dies").status for _ in range(CREDIT_RESERVE)} == {503}
    assert service.cluster()["upstream_rq_retry_overflow"] == 0
    assert service.get(b"/").status == status
    record = next(each for each in service.proxy.records(CREDIT_RESERVE + 1) if each["path"] == "/")
    assert (record["response_code"], record["response_flags"], record["response_code_details"]) == (
        status, flags, detail)
    assert service.cluster()["upstream_rq_retry_overflow"] == 1
    for step in steps:
        if isinstance(step, Gate):
            step.open()


@pytest.mark.parametrize("budget", [{"percent": 0, "min_concurrency": 0}, {"percent": 1, "min_concurrency": 1}])
def test_connections_that_are_refused(service: HttpService, budget: dict[str, int]) -> None:
    """Whether no retry is ever allowed, or there is no credit left: UF, and why the connect failed."""
    with refusing() as nobody:
        service.serve(
            to(nobody), routes=[route("/", "default", **budget)], access_log=service.log, http={"explain": True})
        answers = [service.get(b"/") for _ in range(CREDIT_RESERVE + 1)]
        last = service.proxy.records(CREDIT_RESERVE + 1)[-1]
    assert {answer.status for answer in answers} == {503}
    assert (last["response_flags"], last["response_code_details"]) == ("UF,UO", "connect_failed")
    assert last["upstream_transport_failure_reason"] == "Connection refused"
    (said,) = answers[-1].values(b"x-hopmesh-explain")
    assert said == b"connect_failed; tried %s (connect refused)" % nobody.encode()
    stats = service.cluster()
    assert stats["upstream_rq_retry_overflow"] == stats["upstream_cx_retry_overflow"] >= 1
