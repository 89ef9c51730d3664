"""Circuit breakers by priority: each has bounds, places and gauges of its own."""

from __future__ import annotations

from typing import Any

from tests.support.http_client import HttpClient
from tests.support.http_messages import get, ok
from tests.support.http_origin import Gate, HttpOrigin
from tests.support.http_service import HttpService, to
from tests.support.waiting import wait_until

ROUTES = [
    {"matches": [{"path": {"prefix": "/high"}}], "cluster": "app", "priority": "high"},
    {"cluster": "app"},
]
WIDE = {"max_connections": 100, "max_requests": 100, "max_pending_requests": 100}


def serve(service: HttpService, *origins: HttpOrigin, high: dict[str, int], workers: int = 1, **bounds: int) -> None:
    """Serve them; bounds that are not given are wide."""
    breakers: dict[str, Any] = WIDE | bounds | {"high": WIDE | high}
    service.serve(
        to(*origins, circuit_breakers=breakers, load_balancer="round_robin"), routes=ROUTES, workers=workers
    )


def held(service: HttpService, origin: HttpOrigin, gate: Gate, target: bytes) -> HttpClient:
    """A request that waits for its answer at the origin."""
    origin.on(target, gate, ok(b"done"))
    client = service.client()
    client.send(get(target))
    gate.wait_reached()
    return client


def open_breakers(service: HttpService) -> set[str]:
    """The gauges that say that nothing is left."""
    return {
        name.removeprefix("circuit_breakers.")
        for name, value in service.proxy.gauges().items()
        if name.startswith("circuit_breakers.") and name.endswith("_open") and value
    }


def test_requests(service: HttpService) -> None:
    """Where the default's places are taken, high priority has its own; and the other way round."""
    origin = service.origin()
    serve(service, origin, max_requests=1, high={"max_requests": 2}, workers=2)
    gate = Gate()
    clients = [held(service, origin, gate, b"/held")]
    assert open_breakers(service) == {"default.rq_open"}
    assert service.get(b"/").status == 503
    assert service.get(b"/high").status == 200
    clients += [held(service, origin, gate, b"/high/held") for _ in range(2)]
    assert open_breakers(service) == {"default.rq_open", "high.rq_open"}
    gauges = service.proxy.gauges()
    assert (gauges["circuit_breakers.default.remaining_rq"], gauges["circuit_breakers.high.remaining_rq"]) == (0, 0)
    assert service.get(b"/high").status == 503
    assert service.cluster()["upstream_rq_overflow"] == 2
    gate.open()
    for client in clients:
        assert client.response().status == 200
    assert [service.get(target).status for target in (b"/", b"/high")] == [200, 200]
    assert open_breakers(service) == set()
    assert service.proxy.gauges()["circuit_breakers.high.remaining_rq"] == 2


def test_connections(service: HttpService) -> None:
    """A connection counts for the priority that it was opened for, whoever uses it later."""
    origin = service.origin()
    serve(service, origin, max_connections=1, high={"max_connections": 1})
    gate = Gate()
    first = held(service, origin, gate, b"/held")
    waiting = service.client()
    waiting.send(get(b"/waits"))
    wait_until(lambda: service.proxy.gauges()["upstream_rq_pending_active"] == 1, "one waits")
    assert service.get(b"/high").status == 200
    # Its connection is free now, and the one that waited has it.
    assert waiting.response().status == 200
    assert len(origin.connections) == 2
    gauges = service.proxy.gauges()
    assert {gauges[f"circuit_breakers.{each}.remaining_cx"] for each in ("default", "high")} == {0}
    gate.open()
    assert first.response().status == 200


def test_high_priority_first(service: HttpService) -> None:
    """Of those that wait for the same connection, whoever came first."""
    origin = service.origin()
    serve(service, origin, max_connections=1, high={"max_connections": 1})
    gate, last = Gate(), Gate()
    holding = [held(service, origin, gate, b"/held"), held(service, origin, last, b"/high/held")]
    waiting = []
    for count, target in enumerate((b"/1", b"/2", b"/high/3"), 1):
        waiting.append(service.client())
        waiting[-1].send(get(target))
        wait_until(lambda count=count: service.proxy.gauges()["upstream_rq_pending_active"] == count, "it waits")
    gate.open()
    for client in (holding[0], *waiting):
        assert client.response().status == 200
    assert [message.target for message in origin.requests][2:] == [b"/high/3", b"/1", b"/2"]
    last.open()
    assert holding[1].response().status == 200


def test_an_idle_connection_of_the_other_priority_makes_no_room(service: HttpService) -> None:
    """Only one that was opened for the same priority is closed for a request to another endpoint."""
    origins = [service.origin(), service.origin()]
    serve(service, *origins, max_connections=1, high={"max_connections": 1})
    codes = [service.get(b"/high").status for _ in range(2)]
    # The second one goes to the other endpoint: for that the first one's connection is closed.
    assert codes == [200, 200]
    wait_until(
        lambda: sum(each.ended is None for origin in origins for each in origin.connections) == 1, "one is left"
    )
    assert [service.get(b"/").status for _ in range(4)] == [200] * 4
    assert service.proxy.gauges()["circuit_breakers.high.remaining_cx"] in (0, 1)


def test_pending(service: HttpService) -> None:
    """Who waits for a connection takes a place of its priority."""
    origin = service.origin()
    serve(service, origin, max_connections=1, max_pending_requests=1, high={"max_connections": 1})
    gate = Gate()
    holding = [held(service, origin, gate, target) for target in (b"/held", b"/high/held")]
    waiting = service.client()
    waiting.send(get(b"/waits"))
    wait_until(lambda: "default.rq_pending_open" in open_breakers(service), "one waits")
    assert service.get(b"/").status == 503
    assert service.cluster()["upstream_rq_pending_overflow"] == 1
    urgent = service.client()
    urgent.send(get(b"/high"))
    wait_until(lambda: service.proxy.gauges()["circuit_breakers.high.remaining_pending"] == 99, "another waits")
    gate.open()
    for client in (*holding, waiting, urgent):
        assert client.response().status == 200


def test_a_reload_keeps_the_counts(service: HttpService) -> None:
    """Places that were taken before it are given back after it."""
    origin = service.origin()
    serve(service, origin, high={"max_requests": 1})
    gate = Gate()
    client = held(service, origin, gate, b"/high/held")
    service.apply(to(origin, circuit_breakers=WIDE | {"high": WIDE | {"max_requests": 2}}), routes=ROUTES)
    assert service.proxy.gauges()["circuit_breakers.high.remaining_rq"] == 1
    gate.open()
    assert client.response().status == 200
    wait_until(lambda: service.proxy.gauges()["circuit_breakers.high.remaining_rq"] == 2, "both places are free")
