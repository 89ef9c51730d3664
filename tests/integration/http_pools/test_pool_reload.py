"""The configuration changes while connections are kept alive on both sides."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import pytest

from tests.support.certificates import Authority
from tests.support.http_client import HttpClient
from tests.support.http_messages import get, ok
from tests.support.http_origin import Gate
from tests.support.http_service import HttpService, http_listener, to, wait_until_closed
from tests.support.peer import connect
from tests.support.streams import Background
from tests.support.waiting import wait_until

Settings = dict[str, Any]
CLIENTS = 4
RELOADS = 200


def says(text: str) -> list[Settings]:
    return [{"direct_response": {"status": 200, "body": text}}]


def test_the_newest_routes_count(service: HttpService) -> None:
    """Also on a connection that is older than they are."""
    origin = service.origin()
    service.serve(to(origin), routes=says("old"))
    client = service.client()
    assert client.exchange(get(b"/")).body == b"old"
    service.apply(to(origin), routes=says("new"))
    assert client.exchange(get(b"/")).body == b"new"
    service.apply(to(origin))
    assert client.exchange(get(b"/3")).body == b"GET /3\n"
    assert service.listener()["downstream_cx_total"] == 1
    wait_until(lambda: len(service.proxy.proxy._publisher.snapshots) == 1, "old snapshots retired")


def test_a_request_under_way_keeps_its_routes(service: HttpService) -> None:
    """Its response is changed as its route said when it came; the connection goes on with the new ones."""
    origin = service.origin()
    gate = Gate()
    origin.on(b"/slow", gate, ok(b"slow"))
    service.serve(to(origin), routes=[{"cluster": "app", "response_headers": {"set": {"x-version": "1"}}}])
    client = service.client()
    client.send(get(b"/slow"))
    gate.wait_reached()
    service.apply(to(origin), routes=[{"cluster": "app", "response_headers": {"set": {"x-version": "2"}}}])
    gate.open()
    response = client.response()
    assert (response.values(b"X-Version"), response.values(b"Connection")) == ([b"1"], [])
    assert client.exchange(get(b"/next")).values(b"X-Version") == [b"2"]
    assert len(origin.connections) == 1


def test_a_removed_listener_ends_its_connections(service: HttpService) -> None:
    """One that is idle at once; one with a request when that is answered, which says so; half a head still counts."""
    origin = service.origin()
    gate = Gate()
    origin.on(b"/slow", gate, ok(b"slow"))
    listeners = [http_listener(), http_listener("other")]
    service.serve(to(origin), listeners=listeners)
    unused, busy, half, stays = (*(service.client() for _ in range(3)), service.client("other"))
    assert stays.exchange(get(b"/stays")).status == 200
    assert half.exchange(get(b"/first")).status == 200
    half.send(b"GET /half HTTP/1.1\r\n")
    busy.send(get(b"/slow"))
    gate.wait_reached()
    service.proxy.wait_for_connections(4)
    wait_until(lambda: service.listener()["downstream_cx_rx_bytes_total"] > 60, "the begin of a head")
    service.apply(to(origin), listeners=listeners[1:])
    assert unused.expect_closed() == "end"
    gate.open()
    response = busy.response()
    assert (response.body, response.values(b"Connection")) == (b"slow", [b"close"])
    assert busy.expect_closed() == "end"
    half.send(b"Host: a\r\n\r\n")
    response = half.response()
    assert (response.body, response.values(b"Connection")) == (b"GET /half\n", [b"close"])
    assert half.expect_closed() == "end"
    assert stays.exchange(get(b"/stays")).status == 200
    service.proxy.wait_for_connections(1)


def test_a_removed_cluster_closes_its_pool(service: HttpService) -> None:
    """And a removed endpoint; others keep theirs."""
    origins = [service.origin() for _ in range(3)]
    routes = [{"matches": [{"path": {"exact": f"/{number}"}}], "cluster": f"c{number}"} for number in range(2)]
    service.serve(to(origins[0], name="c0"), to(*origins[1:], name="c1", load_balancer="round_robin"), routes=routes)
    client = service.client()
    for target in (b"/0", b"/1", b"/1"):
        assert client.exchange(get(target)).status == 200
    service.apply(to(origins[0], name="c0"), to(origins[1], name="c1"), routes=routes)
    wait_until_closed(origins[2])
    service.apply(to(origins[1], name="c1"), routes=routes[1:])
    wait_until_closed(origins[0])
    assert client.exchange(get(b"/1")).status == 200
    assert [len(origin.connections) for origin in origins] == [1, 1, 1]
    assert origins[1].connections[0].ended is None


def test_other_tls_is_another_pool(service: HttpService, tmp_path: Path) -> None:
    """Connections that were opened in the clear are not used once the cluster has TLS."""
    origin = service.origin()
    ca = Authority("root").write(tmp_path)
    service.serve(to(origin))
    client = service.client()
    assert client.exchange(get(b"/clear")).status == 200
    service.apply(to(origin, tls={"trusted_ca": ca, "server_name": "a.example"}, retry={"max_connect_attempts": 1}))
    wait_until_closed(origin)
    # The origin speaks no TLS.
    assert client.exchange(get(b"/tls")).status == 503
    service.apply(to(origin))
    assert client.exchange(get(b"/clear-again")).status == 200
    assert [message.target for message in origin.requests] == [b"/clear", b"/clear-again"]


def test_idle_connections_go_by_the_new_settings(service: HttpService) -> None:
    """Those that were put back before a change are bounded by it after their next request."""
    origin = service.origin()
    service.serve(to(origin, http={"max_requests_per_connection": 100}))
    client = service.client()
    assert client.exchange(get(b"/1")).status == 200
    service.apply(to(origin, http={"max_requests_per_connection": 2}))
    assert client.exchange(get(b"/2")).status == 200
    wait_until_closed(origin)
    assert [len(each.requests) for each in origin.connections] == [2]


class Asking(Background):
    """Asks again and again on kept-alive connections, each of some requests."""

    def __init__(self, address: str, number: int, stop: threading.Event) -> None:
        super().__init__()
        self.answered = 0
        self._address, self._number, self._stop_asking = address, number, stop
        self.start()

    def work(self) -> None:
        """Every answer must be to the request that was asked."""
        while not self._stop_asking.is_set():
            with HttpClient(connect(self._address)) as client:
                for _ in range(20):
                    target = b"/%d/%d" % (self._number, self.answered)
                    response = client.exchange(get(target))
                    assert response.body == b"GET %s\n" % target, response
                    assert response.values(b"Connection") == []
                    self.answered += 1


@pytest.mark.parametrize("workers", [1, 2])
def test_nothing_is_lost_by_reloads(service: HttpService, workers: int) -> None:
    """200 of them move the traffic between clusters, endpoints and other listeners; every request is answered."""
    origins = [service.origin(), service.origin()]

    def change(number: int) -> dict[str, Any]:
        listeners = [http_listener(cluster=f"c{number % 3}")]
        listeners += [http_listener(f"more-{number % 5}", cluster=f"c{number % 3}")] * (number % 2)
        return {"listeners": listeners, "workers": workers}

    def cluster(number: int) -> Settings:
        return to(*[origins[:1], origins[1:], origins][number % 3], name=f"c{number % 3}")

    service.serve(cluster(0), **change(0))
    stop = threading.Event()
    asking = [Asking(service.proxy.address(), number, stop) for number in range(CLIENTS)]
    for number in range(1, RELOADS + 1):
        before = sum(each.answered for each in asking)
        service.apply(cluster(number), **change(number))
        wait_until(lambda: moved_on(asking, before), "an answer after the reload")  # noqa: B023
    stop.set()
    for each in asking:
        each.done()
    answered = sum(each.answered for each in asking)
    assert sum(service.served(*origins)) == answered
    assert all(service.served(*origins))
    stats = service.listener()
    assert (stats["downstream_rq_total"], stats["downstream_rq_2xx"]) == (answered, answered)
    assert stats["downstream_rq_rx_reset"] == 0
    service.proxy.wait_for_connections(0)
    wait_until(lambda: len(service.proxy.proxy._publisher.snapshots) == 1, "old snapshots retired")


def moved_on(asking: list[Asking], before: int) -> bool:
    """Whether requests are answered, or a client has failed, which is told at the end."""
    return sum(each.answered for each in asking) > before or not all(each.is_alive() for each in asking)
