"""Connections that requests share one after the other: kept, taken again, closed."""

from __future__ import annotations

from mesh_core.control.proxy import Mounting
from tests.support.http_client import HttpClient
from tests.support.http_messages import get, ok, request
from tests.support.http_origin import Gate, HttpOrigin, Move
from tests.support.http_service import HttpService, to, wait_until_closed


def ask(client: HttpClient, *targets: bytes) -> None:
    """One request after the other; each is answered."""
    for target in targets:
        assert client.exchange(get(target)).status == 200


def together(service: HttpService, origin: HttpOrigin, *targets: bytes) -> None:
    """Requests that are all at the origin at one time, each on a connection of its own, begun in this order and
    answered in this order."""
    gates = [Gate() for _ in targets]
    clients = [service.client() for _ in targets]
    for target, gate, client in zip(targets, gates, clients, strict=True):
        origin.on(target, gate, ok(b"done"))
        client.send(get(target))
        gate.wait_reached()
    for gate, client in zip(gates, clients, strict=True):
        gate.open()
        assert client.response().status == 200


def test_one_connection_for_all(service: HttpService) -> None:
    """Requests one after the other share it, of whichever downstream, method, body and framing."""
    origin = service.origin()
    service.serve(to(origin))
    for _ in range(2):
        with service.client() as client:
            ask(client, b"/1", b"/2")
            post = request(b"Content-Length: 5", line=b"POST /3 HTTP/1.1") + b"hello"
            assert client.exchange(post, b"POST").body.endswith(b"hello")
            chunked = request(b"Transfer-Encoding: chunked", line=b"POST /4 HTTP/1.1") + b"2\r\nhi\r\n0\r\n\r\n"
            assert client.exchange(chunked, b"POST").body.endswith(b"hi")
            assert client.exchange(request(line=b"DELETE /5 HTTP/1.1"), b"DELETE").status == 200
    assert [len(each.requests) for each in origin.connections] == [10]
    stats = service.cluster()
    assert (stats["upstream_cx_total"], stats["upstream_cx_active"]) == (1, 1)
    assert (stats["upstream_rq_total"], stats["upstream_rq_completed"], stats["upstream_rq_2xx"]) == (10, 10, 10)
    endpoint = service.endpoint(origin)
    assert (endpoint["rq_total"], endpoint["rq_success"], endpoint["rq_active"]) == (10, 10, 0)
    assert (endpoint["cx_total"], endpoint["cx_active"]) == (1, 1)


def test_the_last_one_put_back_is_taken_first(service: HttpService) -> None:
    """Of three that are idle, the one that answered last."""
    origin = service.origin()
    service.serve(to(origin))
    together(service, origin, b"/a", b"/b", b"/c")
    assert len(origin.connections) == 3
    with service.client() as client:
        ask(client, *(b"/%d" % number for number in range(5)))
    assert [len(each.requests) for each in origin.connections] == [1, 1, 6]


def test_workers_share_nothing(service: HttpService, mounting: Mounting) -> None:
    """There are never more connections than there are workers."""
    origin = service.origin()
    service.serve(to(origin), workers=3)
    for number in range(30):
        assert service.get(b"/%d" % number).status == 200
    assert 1 <= len(origin.connections) <= 3


def test_no_more_than_so_many_are_idle(service: HttpService) -> None:
    """The one that has waited longest goes."""
    origin = service.origin()
    service.serve(to(origin, http={"max_idle_connections": 2}))
    together(service, origin, b"/a", b"/b", b"/c")
    wait_until_closed(origin, 0)
    service.proxy.wait_for_stat(2, "upstream_cx_active", "cluster", "app")
    assert [each.ended for each in origin.connections] == ["end", None, None]


def test_they_do_not_wait_for_ever(service: HttpService) -> None:
    origin = service.origin()
    service.serve(to(origin, http={"idle_timeout_ms": 60}))
    ask(service.client(), b"/1")
    wait_until_closed(origin)
    service.proxy.wait_for_stat(1, "upstream_cx_idle_timeout", "cluster", "app")
    ask(service.client(), b"/2")
    assert origin.connections[0].ended == "end"
    assert len(origin.connections) == 2


def test_so_many_requests_each(service: HttpService) -> None:
    origin = service.origin()
    service.serve(to(origin, http={"max_requests_per_connection": 3}))
    with service.client() as client:
        ask(client, *(b"/%d" % number for number in range(7)))
    assert [len(each.requests) for each in origin.connections] == [3, 3, 1]
    wait_until_closed(origin, 1)
    assert service.cluster()["upstream_cx_max_requests"] == 2


def test_so_long_each(service: HttpService) -> None:
    """Once it is older than that, it takes no further request: its response was held back until then."""
    origin = service.origin()
    service.serve(to(origin, http={"max_connection_duration_ms": 1}))
    gate = Gate()
    origin.on(b"/old", gate, ok(b"done"))
    client = service.client()
    client.send(get(b"/old"))
    gate.wait_reached()
    service.proxy.wait_for_stat(1, "upstream_cx_active", "cluster", "app")
    began = service.proxy.loop.time()
    while service.proxy.loop.time() < began + 0.02:
        assert service.cluster()["upstream_rq_active"] == 1
    gate.open()
    assert client.response().status == 200
    wait_until_closed(origin)
    assert service.cluster()["upstream_cx_max_duration_reached"] == 1
    ask(client, b"/new")
    assert len(origin.connections) == 2


def test_one_that_the_origin_closes_is_not_used(service: HttpService) -> None:
    """It is gone before the next request; that gets another one."""
    origin = service.origin()
    service.serve(to(origin))
    origin.on(b"/last", ok(b"bye"), Move.CLOSE)
    with service.client() as client:
        for count in range(1, 4):
            ask(client, b"/last")
            service.proxy.wait_for_stat(0, "upstream_cx_active", "cluster", "app")
            ask(client, b"/next/%d" % count)
            origin.hang_up(b"/next/%d" % count)
            service.proxy.wait_for_stat(0, "upstream_cx_active", "cluster", "app")
    stats = service.cluster()
    assert (stats["upstream_rq_2xx"], stats["upstream_rq_5xx"], stats["upstream_cx_total"]) == (6, 0, 6)


def test_one_that_says_more_than_it_was_asked(service: HttpService) -> None:
    """With the answer or behind it, the surplus never reaches anybody, and closes the connection."""
    origin = service.origin()
    service.serve(to(origin))
    gate = Gate()
    stray = ok(b"stray")
    origin.on(b"/with", ok(b"asked") + stray)
    origin.on(b"/behind", ok(b"asked"), gate, stray)
    with service.client() as client:
        assert client.exchange(get(b"/with")).body == b"asked"
        wait_until_closed(origin, 0)
        assert client.exchange(get(b"/behind")).body == b"asked"
        gate.wait_reached()
        gate.open()
        wait_until_closed(origin, 1)
        assert client.exchange(get(b"/after")).body == b"GET /after\n"
    assert len(origin.connections) == 3


def test_what_ends_a_connection(service: HttpService) -> None:
    """Connection: close, HTTP/1.0 without keep-alive, and an answer that comes before the request is whole."""
    origin = service.origin()
    service.serve(to(origin))
    origin.on(b"/close", b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nhi")
    origin.on(b"/1.0", b"HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nhi")
    origin.on(b"/early", b"HTTP/1.1 413 No\r\nContent-Length: 2\r\n\r\nno", when="head")
    with service.client() as client:
        for number, target in enumerate((b"/close", b"/1.0")):
            response = client.exchange(get(target))
            assert (response.body, response.values(b"Connection")) == (b"hi", [])
            wait_until_closed(origin, number)
        client.send(request(b"Content-Length: 5", line=b"POST /early HTTP/1.1") + b"he")
        response = client.response(b"POST")
        assert (response.status, response.values(b"Connection")) == (413, [b"close"])
        wait_until_closed(origin, 2)
    ask(service.client(), b"/next")
    assert len(origin.connections) == 4


def test_a_client_that_goes_takes_its_upstream_along(service: HttpService) -> None:
    """A request that nobody waits for any more is not finished, and its connection is not used again."""
    origin = service.origin()
    service.serve(to(origin))
    gate = Gate()
    origin.on(b"/slow", gate, ok(b"late"))
    client = service.client()
    client.send(get(b"/slow"))
    gate.wait_reached()
    client.peer.reset()
    service.proxy.wait_for_stat(0, "upstream_cx_active", "cluster", "app")
    assert service.cluster()["upstream_rq_tx_reset"] == service.listener()["downstream_rq_rx_reset"] == 1
    gate.open()
    ask(service.client(), b"/next")
    assert len(origin.connections) == 2
