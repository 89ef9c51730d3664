"""Circuit breakers: how many requests and connections at one time, and what those over them get."""

from __future__ import annotations

from typing import Any

from tests.support.http_client import HttpClient
from tests.support.http_messages import get, ok
from tests.support.http_origin import Gate, HttpOrigin
from tests.support.http_service import HttpService, to
from tests.support.peer import Origin, connect

Settings = dict[str, Any]


def held(service: HttpService, origin: HttpOrigin, gate: Gate) -> HttpClient:
    """A request that waits for its answer at the origin."""
    origin.on(b"/held", gate, ok(b"done"))
    client = service.client()
    client.send(get(b"/held"))
    gate.wait_reached()
    return client


def test_requests(service: HttpService) -> None:
    """Two are answered, a third is refused at once, and when one of them is over there is room again."""
    origin = service.origin()
    service.serve(to(origin, circuit_breakers={"max_requests": 2}), workers=2)
    gate = Gate()
    clients = [held(service, origin, gate), held(service, origin, gate)]
    gauges = service.proxy.gauges()
    assert (gauges["circuit_breakers.default.rq_open"], service.cluster()["upstream_rq_active"]) == (1, 2)
    with service.client() as client:
        response = client.exchange(get(b"/"))
        assert (response.status, response.values(b"Connection")) == (503, [])
        assert service.cluster()["upstream_rq_overflow"] == 1
        gate.open()
        for each in clients:
            assert each.response().status == 200
        assert client.exchange(get(b"/")).status == 200
    assert service.proxy.gauges()["circuit_breakers.default.rq_open"] == 0
    stats = service.cluster()
    assert (stats["upstream_rq_total"], stats["upstream_rq_completed"], stats["upstream_rq_overflow"]) == (3, 3, 1)


def test_connections(service: HttpService) -> None:
    """Who finds them all busy waits for one of them."""
    origin = service.origin()
    service.serve(to(origin, circuit_breakers={"max_connections": 1}))
    gate = Gate()
    first = held(service, origin, gate)
    others = [service.client() for _ in range(3)]
    for number, client in enumerate(others):
        client.send(get(b"/%d" % number))
    service.proxy.wait_for_stat(4, "upstream_rq_active", "cluster", "app")
    assert service.proxy.gauges()["upstream_rq_pending_active"] == 3
    assert service.proxy.gauges()["circuit_breakers.default.cx_open"] == 1
    gate.open()
    assert first.response().body == b"done"
    for number, client in enumerate(others):
        assert client.response().body == b"GET /%d\n" % number
    assert [len(each.requests) for each in origin.connections] == [4]
    assert service.proxy.gauges()["upstream_rq_pending_active"] == 0


def test_they_wait_in_order(service: HttpService) -> None:
    """First come, first served."""
    origin = service.origin()
    service.serve(to(origin, circuit_breakers={"max_connections": 1}))
    gate = Gate()
    first = held(service, origin, gate)
    others = []
    for number in range(4):
        others.append(service.client())
        others[-1].send(get(b"/%d" % number))
        service.proxy.wait_for_stat(number + 2, "upstream_rq_active", "cluster", "app")
    gate.open()
    for client in (first, *others):
        assert client.response().status == 200
    assert [message.target for message in origin.requests] == [b"/held", b"/0", b"/1", b"/2", b"/3"]


def test_who_waits_may_go(service: HttpService) -> None:
    """A client that gives up leaves its place, and who stands behind it is served."""
    origin = service.origin()
    service.serve(to(origin, circuit_breakers={"max_connections": 1, "max_pending_requests": 2}))
    gate = Gate()
    first = held(service, origin, gate)
    gone, stays = service.client(), service.client()
    gone.send(get(b"/gone"))
    service.proxy.wait_for_stat(2, "upstream_rq_active", "cluster", "app")
    stays.send(get(b"/stays"))
    service.proxy.wait_for_stat(3, "upstream_rq_active", "cluster", "app")
    assert service.get(b"/over").status == 503
    assert service.cluster()["upstream_rq_pending_overflow"] == 1
    gone.peer.reset()
    service.proxy.wait_for_stat(2, "upstream_rq_active", "cluster", "app")
    gate.open()
    assert first.response().status == 200
    assert stays.response().body == b"GET /stays\n"
    assert [message.target for message in origin.requests] == [b"/held", b"/stays"]


def test_the_connection_that_was_waited_for_is_lost(service: HttpService) -> None:
    """The one that it was waited for breaks: there is room for another one then."""
    origin = service.origin()
    service.serve(to(origin, circuit_breakers={"max_connections": 1}))
    gate = Gate()
    first = held(service, origin, gate)
    other = service.client()
    other.send(get(b"/other"))
    service.proxy.wait_for_stat(2, "upstream_rq_active", "cluster", "app")
    origin_connection = origin.connections[0]
    first.peer.reset()
    assert other.response().body == b"GET /other\n"
    gate.open()
    assert len(origin.connections) == 2
    assert [message.target for message in origin_connection.requests] == [b"/held"]


def test_an_idle_connection_makes_room(service: HttpService) -> None:
    """All that the cluster may have are idle at one endpoint: a request for another one is not refused for that."""
    origins = [service.origin(), service.origin()]
    service.serve(to(*origins, load_balancer="round_robin", circuit_breakers={"max_connections": 1}))
    with service.client() as client:
        for number in range(6):
            assert client.exchange(get(b"/%d" % number)).status == 200
    assert service.served(*origins) == [3, 3]
    assert service.cluster()["upstream_cx_active"] == 1


def test_pending_requests(service: HttpService) -> None:
    """So many wait for a connection to open; one more is refused; they are served once it opens or fails."""
    with Origin(backlog=0) as silent, connect(silent.address):
        service.serve(
            to(silent.address, circuit_breakers={"max_pending_requests": 2}, retry={"max_connect_attempts": 1},
               connect_timeout_ms=20_000),
        )  # fmt: skip
        waiting = [service.client(), service.client()]
        for client in waiting:
            client.send(get(b"/"))
        service.proxy.wait_for_stat(2, "upstream_rq_active", "cluster", "app")
        gauges = service.proxy.gauges()
        assert gauges["upstream_rq_pending_active"] == gauges["circuit_breakers.default.rq_pending_open"] * 2 == 2
        assert service.get(b"/").status == 503
        assert service.cluster()["upstream_rq_pending_overflow"] == 1
        for client in waiting:
            client.peer.reset()
        service.proxy.wait_for_stat(0, "upstream_rq_active", "cluster", "app")
        assert service.proxy.gauges()["upstream_rq_pending_active"] == 0


def test_the_connection_becomes_a_tunnel(service: HttpService) -> None:
    """Who waited for it is told at once: there is no other that could be free one day."""
    with Origin() as origin:
        service.serve(
            to(origin.address, circuit_breakers={"max_connections": 1}),
            routes=[{"cluster": "app", "upgrades": ["websocket"]}],
        )
        upgrading, waiting = service.client(), service.client()
        upgrading.send(get(b"/", b"Connection: Upgrade", b"Upgrade: websocket"))
        with origin.accept() as server:
            request = b""
            while not request.endswith(b"\r\n\r\n"):
                request += server.receive(1)
            waiting.send(get(b"/"))
            service.proxy.wait_for_stat(2, "upstream_rq_active", "cluster", "app")
            server.send(b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n")
            assert waiting.response().status == 503
            assert upgrading.peer.receive(12) == b"HTTP/1.1 101"
