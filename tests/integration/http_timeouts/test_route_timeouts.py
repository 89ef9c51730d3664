"""Time-outs of routes, and of whole requests and streams. Each test waits for what must happen; none measures."""

from __future__ import annotations

import pytest

from tests.support.http_client import HttpClient, Incomplete
from tests.support.http_messages import get, ok, request
from tests.support.http_origin import Gate
from tests.support.http_service import HttpService, http_listener, to, wait_until_closed

HALF = b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf"


def cut(client: HttpClient) -> None:
    """The response has begun, and is never completed."""
    with pytest.raises(Incomplete) as caught:
        client.response()
    assert caught.value.end == "reset"


def test_a_route_that_takes_too_long(service: HttpService) -> None:
    """504, and the connection goes on; what was asked upstream is cut."""
    origin = service.origin()
    service.serve(to(origin), routes=[{"cluster": "app", "timeouts": {"request_ms": 60}}])
    gate = Gate()
    origin.on(b"/slow", gate, ok(b"late"))
    with service.client() as client:
        assert client.exchange(get(b"/slow")).status == 504
        assert client.exchange(get(b"/")).status == 200
    gate.open()
    stats = service.cluster()
    assert (stats["upstream_rq_timeout"], stats["upstream_rq_per_try_timeout"]) == (1, 0)
    wait_until_closed(origin)


def test_a_response_that_takes_too_long(service: HttpService) -> None:
    """Its head has gone: it is cut."""
    origin = service.origin()
    service.serve(to(origin), routes=[{"cluster": "app", "timeouts": {"request_ms": 60}}])
    gate = Gate()
    origin.on(b"/half", HALF, gate)
    with service.client() as client:
        client.send(get(b"/half"))
        cut(client)
    gate.open()
    assert service.cluster()["upstream_rq_timeout"] == 1


def test_the_route_waits_for_the_whole_request(service: HttpService) -> None:
    """Its time begins with the last byte of the request: until then only its own time-outs count."""
    origin = service.origin()
    service.serve(to(origin), routes=[{"cluster": "app", "timeouts": {"request_ms": 60, "per_try_ms": 50}}],
                  http={"stream_idle_timeout_ms": 200})
    with service.client() as client:
        client.send(request(b"Content-Length: 10", line=b"POST / HTTP/1.1") + b"half")
        response = client.response(b"POST")
        assert (response.status, response.values(b"Connection")) == (408, [b"close"])
    stats = service.cluster()
    assert (stats["upstream_rq_timeout"], stats["upstream_rq_per_try_timeout"]) == (0, 0)
    assert service.listener()["downstream_rq_idle_timeout"] == 1


def test_the_route_after_a_body(service: HttpService) -> None:
    """The time-outs begin when the last byte has come, by an event of its own."""
    origin = service.origin()
    service.serve(to(origin), routes=[{"cluster": "app", "timeouts": {"request_ms": 60}}])
    gate, slow = Gate(), Gate()
    origin.on(b"/", gate, when="head")
    with service.client() as client:
        client.send(request(b"Content-Length: 10", line=b"POST / HTTP/1.1") + b"half")
        gate.wait_reached()
        origin.on(b"/", slow, ok(b"late"))
        gate.open()
        client.send(b"...end")
        assert client.response(b"POST").status == 504
    slow.open()
    assert service.cluster()["upstream_rq_timeout"] == 1


def test_one_try(service: HttpService) -> None:
    """504 where nobody tries again; a head in time is enough."""
    origin = service.origin()
    service.serve(to(origin), routes=[{"cluster": "app", "timeouts": {"per_try_ms": 60}}],
                  http={"stream_idle_timeout_ms": 300})
    gate = Gate()
    origin.on(b"/slow", gate, ok(b"late"))
    origin.on(b"/half", HALF, gate)
    with service.client() as client:
        assert client.exchange(get(b"/slow")).status == 504
        client.send(get(b"/half"))
        cut(client)
    gate.open()
    stats = service.cluster()
    assert (stats["upstream_rq_timeout"], stats["upstream_rq_per_try_timeout"]) == (0, 1)
    assert service.listener()["downstream_rq_idle_timeout"] == 1


def test_the_nearest_says(service: HttpService) -> None:
    """The route, then its virtual host, then the listener; 0 takes a time-out away."""
    origin = service.origin()
    gate = Gate()
    for path in (b"/host", b"/own", b"/none"):
        origin.on(path, gate, ok(b"late"))
    hosts = [{
        "name": "a", "hosts": ["*"], "timeouts": {"request_ms": 60, "stream_idle_ms": 0}, "routes": [
            {"name": "own", "matches": [{"path": {"prefix": "/own"}}], "cluster": "app",
             "timeouts": {"request_ms": 0, "max_stream_duration_ms": 60}},
            {"name": "none", "matches": [{"path": {"prefix": "/none"}}], "cluster": "app",
             "timeouts": {"request_ms": 0}},
            {"name": "host", "cluster": "app"},
        ],
    }]
    service.serve(to(origin), virtual_hosts=hosts, http={"stream_idle_timeout_ms": 30})
    none, own, host = service.client(), service.client(), service.client()
    none.send(get(b"/none"))
    gate.wait_reached()
    assert own.exchange(get(b"/own")).status == 504
    assert host.exchange(get(b"/host")).status == 504
    listener = service.listener()
    assert (listener["downstream_rq_max_duration_reached"], listener["downstream_rq_idle_timeout"]) == (1, 0)
    assert service.cluster()["upstream_rq_timeout"] == 1
    gate.open()
    assert none.response().body == b"late"


def test_a_request_that_does_not_end(service: HttpService) -> None:
    """408, however busily it comes; the connection is closed."""
    origin = service.origin()
    service.serve(to(origin), http={"request_timeout_ms": 60})
    with service.client() as client:
        assert client.exchange(get(b"/")).status == 200
        client.send(request(b"Content-Length: 10", line=b"POST / HTTP/1.1") + b"half")
        response = client.response(b"POST")
        assert (response.status, response.values(b"Connection")) == (408, [b"close"])
        assert client.expect_closed() == "end"
    assert service.listener()["downstream_rq_timeout"] == 1
    wait_until_closed(origin)
    assert len(origin.requests) == 1


@pytest.mark.parametrize(("sent", "status"), [
    (get(b"/slow"), 504),
    (request(b"Content-Length: 10", line=b"POST /slow HTTP/1.1") + b"half", 408),
])
def test_a_stream_that_lasts(service: HttpService, sent: bytes, status: int) -> None:
    """Whose fault it is shows in whether the request is whole."""
    origin = service.origin()
    gate = Gate()
    origin.on(b"/slow", gate, ok(b"late"))
    service.serve(to(origin), http={"max_stream_duration_ms": 60})
    with service.client() as client:
        assert client.exchange(sent).status == status
    gate.open()
    assert service.listener()["downstream_rq_max_duration_reached"] == 1


def test_a_tunnel_goes_by_none(service: HttpService) -> None:
    """Neither the route's nor the stream's: only those of a relayed connection."""
    origin = service.origin()
    origin.on(b"/chat", b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n")
    timeouts = {"request_ms": 200, "per_try_ms": 200, "max_stream_duration_ms": 200}
    service.serve(to(origin), http={"stream_idle_timeout_ms": 200, "max_stream_duration_ms": 200}, listeners=None,
                  routes=[{"cluster": "app", "upgrades": ["websocket"], "timeouts": timeouts}])
    with service.client() as tunnel:
        asked = get(b"/chat", b"Connection: Upgrade", b"Upgrade: websocket")
        tunnel.send(asked)
        assert tunnel.response(upgrades=True).status == 101
        # Meanwhile another one is given up by the same times.
        gate = Gate()
        origin.on(b"/slow", gate, ok(b"late"))
        for _ in range(3):
            assert service.get(b"/slow").status == 504
        gate.open()
        tunnel.peer.end()
        assert tunnel.expect_closed() in ("end", "reset")


def test_a_reload_shortens_what_is_waited_for(service: HttpService) -> None:
    """Timers that were set by a longer time-out are brought forward: of downstream connections and of pooled ones."""
    origin = service.origin()
    service.serve(to(origin, http={"idle_timeout_ms": 3_600_000}))
    unused, used = service.client(), service.client()
    assert used.exchange(get(b"/")).status == 200
    service.proxy.wait_for_connections(2)
    service.apply(to(origin, http={"idle_timeout_ms": 60}), http={"idle_timeout_ms": 60})
    assert unused.expect_closed() == used.expect_closed() == "end"
    wait_until_closed(origin)
    assert service.listener()["downstream_cx_idle_timeout"] == 2
    assert service.cluster()["upstream_cx_idle_timeout"] == 1


def test_a_reload_shortens_a_connections_life(service: HttpService) -> None:
    """So too its maximum duration, for a connection between two requests."""
    origin = service.origin()
    service.serve(to(origin), listeners=[http_listener(max_connection_duration_ms=3_600_000)])
    client = service.client()
    assert client.exchange(get(b"/")).status == 200
    service.apply(to(origin), listeners=[http_listener(max_connection_duration_ms=60)])
    assert client.expect_closed() == "end"
    assert service.listener()["downstream_cx_max_duration_reached"] == 1
