"""The adaptive limit at work: who is let in, who is refused, and that the limit moves."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.http_client import HttpClient
from tests.support.http_messages import get, ok
from tests.support.http_origin import Gate, HttpOrigin, Move
from tests.support.http_service import HttpService, to
from tests.support.waiting import wait_until

PREFIX = "adaptive_concurrency.gradient_controller."


def serve(service: HttpService, origin: HttpOrigin, learn: dict[str, Any], workers: int = 1, **rules: Any) -> None:
    """Serve it under an adaptive limit."""
    service.serve(to(origin, adaptive_concurrency={"min_round_trip": learn} | rules), workers=workers, access_log={
        "path": str(service.folder / "access.log")})


def gauge(service: HttpService, name: str) -> int:
    """One of the controller's."""
    return service.proxy.gauges()[PREFIX + name]


def blocked(service: HttpService) -> int:
    """How many were refused."""
    return service.proxy.stats("adaptive_concurrency", "app")["gradient_controller.rq_blocked"]


def held(service: HttpService, origin: HttpOrigin, gate: Gate, count: int) -> list[HttpClient]:
    """So many requests that wait for their answers."""
    origin.on(b"/held", gate, ok(b"done"))
    clients = [service.client() for _ in range(count)]
    for client in clients:
        client.send(get(b"/held"))
    gate.wait_reached(count)
    return clients


# With a round trip that nothing exceeds the limit stays at its most.
GENEROUS = {"fixed_ms": 600_000, "min_concurrency": 2}


@pytest.mark.parametrize("workers", [1, 2])
def test_over_the_limit(service: HttpService, workers: int) -> None:
    """503, and there is room again when one of those before is over."""
    origin = service.origin()
    serve(service, origin, GENEROUS, workers, initial_concurrency_limit=4, max_concurrency_limit=4)
    gate = Gate()
    clients = held(service, origin, gate, 4)
    refused = service.get(b"/")
    assert refused.status == 503
    assert refused.body == b"reached_concurrency_limit"
    assert blocked(service) == 1
    gate.open()
    for client in clients:
        assert client.response().status == 200
    assert service.get(b"/").status == 200
    assert gauge(service, "concurrency_limit") == 4
    service.proxy.wait_for_stat(0, "upstream_rq_active", "cluster", "app")
    assert service.cluster()["upstream_rq_overflow"] == 0
    (record,) = [each for each in service.proxy.records(6) if each["response_code"] == 503]
    assert (record["response_flags"], record["response_code_details"]) == ("UO", "reached_concurrency_limit")


def test_it_is_learned(service: HttpService) -> None:
    """The first window refuses what is more than the least; with it over, the limit is the initial one, and moves."""
    origin = service.origin()
    serve(
        service, origin, {"request_count": 10, "max_window_ms": 600_000, "min_concurrency": 2},
        initial_concurrency_limit=20, concurrency_update_interval_ms=20,
    )
    assert gauge(service, "min_rtt_calculation_active") == 1
    gate = Gate()
    clients = held(service, origin, gate, 2)
    assert service.get(b"/").status == 503
    gate.open()
    for client in clients:
        assert client.response().status == 200
    with service.client() as client:
        for _ in range(8):
            assert client.exchange(get(b"/")).status == 200
        wait_until(lambda: gauge(service, "min_rtt_calculation_active") == 0, "the window is over")
        assert gauge(service, "concurrency_limit") == 20
        wait_until(
            lambda: client.exchange(get(b"/")).status == 200 and gauge(service, "concurrency_limit") != 20,
            "the limit moves",
        )
    assert blocked(service) == 1


def test_errors_are_no_samples(service: HttpService) -> None:
    """What fails fast is no sign of health: a window goes on until there are answers."""
    origin = service.origin()
    origin.on(b"/fails", b"HTTP/1.1 500 Such\r\nContent-Length: 0\r\n\r\n")
    origin.on(b"/cut", Move.RESET)
    serve(
        service, origin, {"request_count": 3, "max_window_ms": 600_000, "min_concurrency": 2},
        concurrency_update_interval_ms=10,
    )
    for _ in range(5):
        assert service.get(b"/fails").status == 500
        assert service.get(b"/cut").status == 503
    assert gauge(service, "min_rtt_calculation_active") == 1
    for _ in range(3):
        assert service.get(b"/").status == 200
    wait_until(lambda: gauge(service, "min_rtt_calculation_active") == 0, "the window is over")


def test_on_and_off(service: HttpService) -> None:
    """By a reload, with requests under way."""
    origin = service.origin()
    settings = {"adaptive_concurrency": {
        "initial_concurrency_limit": 2, "max_concurrency_limit": 2, "min_round_trip": GENEROUS}}
    service.serve(to(origin))
    gate = Gate()
    clients = held(service, origin, gate, 3)
    service.apply(to(origin, **settings))
    # Those from before hold no place.
    clients += held(service, origin, gate, 2)
    assert service.get(b"/").status == 503
    service.apply(to(origin))
    assert service.get(b"/").status == 200
    gate.open()
    for client in clients:
        assert client.response().status == 200
    assert PREFIX + "concurrency_limit" not in service.proxy.gauges()
