"""Where requests go, and what is answered when they can go nowhere."""

from __future__ import annotations

from typing import Any

from tests.support.http_client import HttpClient
from tests.support.http_messages import get, ok, post
from tests.support.http_origin import Gate, HttpOrigin
from tests.support.http_service import HttpService, to
from tests.support.peer import refusing
from tests.support.waiting import wait_until

Settings = dict[str, Any]


def hold(service: HttpService, origins: list[HttpOrigin], count: int, gate: Gate) -> list[HttpClient]:
    """So many requests that wait for their answers, each picked when those before it were counted."""
    for origin in origins:
        origin.on(b"/held", gate, ok(b"done"))
    clients = []
    for _ in range(count):
        clients.append(service.client())
        clients[-1].send(get(b"/held"))
        gate.wait_reached()
    return clients


def test_nobody_to_go_to(service: HttpService) -> None:
    """503 at once, and the connection goes on."""
    service.serve(to())
    with service.client() as client:
        for _ in range(2):
            response = client.exchange(get(b"/"))
            assert (response.status, response.values(b"Connection")) == (503, [])
    assert service.cluster()["upstream_cx_none_healthy"] == 2
    assert service.listener()["downstream_rq_5xx"] == 2


def test_nobody_takes_the_connection(service: HttpService) -> None:
    """503 after the last attempt."""
    with refusing() as address:
        service.serve(to(address, retry={"max_connect_attempts": 3, "base_interval_ms": 1}))
        with service.client() as client:
            assert client.exchange(get(b"/")).status == 503
            assert client.exchange(post(b"hello"), b"POST").status == 503
        stats = service.cluster()
        assert (stats["upstream_cx_connect_fail"], stats["upstream_cx_retry"]) == (6, 4)
        assert (stats["upstream_cx_active"], stats["upstream_rq_active"]) == (0, 0)
        assert service.proxy.gauges()["upstream_rq_pending_active"] == 0


def test_another_endpoint_takes_it(service: HttpService) -> None:
    """Body and all; the requests are never seen twice."""
    origin = service.origin()
    with refusing() as one, refusing() as two:
        retry = {"max_connect_attempts": 3, "base_interval_ms": 1}
        service.serve(to(one, two, origin, retry=retry, load_balancer="round_robin"))
        for number in range(6):
            with service.client() as client:
                body = b"%d" % number * 1000
                response = client.exchange(post(body, b"Connection: close", target=b"/%d" % number), b"POST")
                assert response.body.endswith(body)
    assert sorted(message.target for message in origin.requests) == [b"/%d" % number for number in range(6)]
    assert service.cluster()["upstream_cx_retry_success"] >= 1
    assert service.endpoint(origin)["rq_success"] == 6


def test_round_robin_by_request(service: HttpService) -> None:
    """Not by connection: one downstream's requests go round."""
    origins = [service.origin() for _ in range(3)]
    service.serve(to(*origins, load_balancer="round_robin"))
    with service.client() as client:
        for number in range(12):
            assert client.exchange(get(b"/%d" % number)).status == 200
    assert service.served(*origins) == [4, 4, 4]
    assert [len(origin.connections) for origin in origins] == [1, 1, 1]


def test_least_request_counts_requests(service: HttpService) -> None:
    """Idle connections do not count: of requests that are held, each of two endpoints has half."""
    origins = [service.origin(), service.origin()]
    service.serve(to(*origins, load_balancer="least_request", least_request={"choice_count": 16}))
    first = Gate()
    clients = hold(service, origins, 4, first)
    assert [service.endpoint(origin)["rq_active"] for origin in origins] == [2, 2]
    first.open()
    for client in clients:
        assert client.response().status == 200
    wait_until(lambda: not any(service.endpoint(origin)["rq_active"] for origin in origins), "requests that are over")
    assert [service.endpoint(origin)["cx_active"] for origin in origins] == [2, 2]
    # The second request goes to the other endpoint, though both have idle connections.
    second = Gate()
    hold(service, origins, 2, second)
    assert [service.endpoint(origin)["rq_active"] for origin in origins] == [1, 1]
    second.open()


def test_peak_ewma_goes_by_the_time_to_the_first_byte(service: HttpService) -> None:
    """One endpoint takes longer for a request than the other one for fifty; then hardly anybody goes to it."""
    origins = [service.origin(), service.origin()]
    service.serve(to(*origins, load_balancer="peak_ewma", peak_ewma={"decay_ms": 600_000}))
    gate = Gate()
    (waiting,) = hold(service, origins, 1, gate)
    slow, fast = origins if origins[0].requests else origins[::-1]
    with service.client() as client:
        for _ in range(50):
            assert client.exchange(get(b"/")).status == 200
        assert service.served(slow, fast)[1] >= 45
        gate.open()
        assert waiting.response().status == 200
        for _ in range(30):
            assert client.exchange(get(b"/")).status == 200
    assert service.served(slow, fast)[1] >= 70
