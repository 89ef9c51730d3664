"""Time-outs of listeners that speak HTTP. Each test waits for what must happen; none measures."""

from __future__ import annotations

from tests.support.http_client import Incomplete
from tests.support.http_messages import get, ok, request
from tests.support.http_origin import Gate
from tests.support.http_service import HttpService, http_listener, to, wait_until_closed


def test_an_idle_connection(service: HttpService) -> None:
    """It ends in peace: before any request, and between two."""
    origin = service.origin()
    service.serve(to(origin), http={"idle_timeout_ms": 60})
    with service.client() as unused, service.client() as used:
        assert used.exchange(get(b"/")).status == 200
        assert unused.expect_closed() == "end"
        assert used.expect_closed() == "end"
    service.proxy.wait_for_connections(0)
    assert service.listener()["downstream_cx_idle_timeout"] == 2


def test_a_head_that_does_not_end(service: HttpService) -> None:
    """408, however busily it comes, and the connection is closed; in a second request as in the first."""
    origin = service.origin()
    service.serve(to(origin), http={"request_headers_timeout_ms": 60})
    with service.client() as first, service.client() as second:
        assert second.exchange(get(b"/")).status == 200
        for client in (first, second):
            client.send(b"GET / HTTP/1.1\r\nHost: a\r\n")
            response = client.response()
            assert (response.status, response.values(b"Connection")) == (408, [b"close"])
            assert client.expect_closed() == "end"
    stats = service.listener()
    assert (stats["downstream_rq_header_timeout"], stats["downstream_rq_4xx"]) == (2, 2)
    assert len(origin.requests) == 1


def test_an_upstream_that_says_nothing(service: HttpService) -> None:
    """504; its connection is closed, and the downstream's too."""
    origin = service.origin()
    service.serve(to(origin), http={"stream_idle_timeout_ms": 60})
    gate = Gate()
    origin.on(b"/silent", gate, ok(b"late"))
    client = service.client()
    response = client.exchange(get(b"/silent"))
    assert (response.status, response.values(b"Connection")) == (504, [b"close"])
    assert client.expect_closed() == "end"
    service.proxy.wait_for_stat(0, "upstream_cx_active", "cluster", "app")
    gate.open()
    assert service.listener()["downstream_rq_idle_timeout"] == service.listener()["downstream_rq_5xx"] == 1
    wait_until_closed(origin)


def test_a_downstream_that_does_not_go_on(service: HttpService) -> None:
    """408 while its request is not whole."""
    origin = service.origin()
    service.serve(to(origin), http={"stream_idle_timeout_ms": 60})
    with service.client() as client:
        client.send(request(b"Content-Length: 10", line=b"POST / HTTP/1.1") + b"half")
        response = client.response(b"POST")
        assert (response.status, response.values(b"Connection")) == (408, [b"close"])
        assert client.expect_closed() == "end"
    assert service.listener()["downstream_rq_idle_timeout"] == 1
    wait_until_closed(origin)
    assert origin.requests == []


def test_a_response_that_does_not_go_on(service: HttpService) -> None:
    """It is cut, never completed."""
    origin = service.origin()
    service.serve(to(origin), http={"stream_idle_timeout_ms": 60})
    gate = Gate()
    origin.on(b"/half", b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf", gate)
    client = service.client()
    client.send(get(b"/half"))
    try:
        response = client.response()
    except Incomplete as incomplete:
        assert incomplete.end == "reset"
    else:
        raise AssertionError(f"complete: {response}")
    gate.open()
    assert service.listener()["downstream_rq_idle_timeout"] == 1


def test_a_connection_that_lasts(service: HttpService) -> None:
    """At its maximum duration it ends once it is idle; a request under way is answered, and told it is the last."""
    origin = service.origin()
    service.serve(to(origin), listeners=[http_listener(max_connection_duration_ms=60)])
    gate = Gate()
    origin.on(b"/slow", gate, ok(b"slow"))
    busy, idle = service.client(), service.client()
    busy.send(get(b"/slow"))
    gate.wait_reached()
    assert idle.expect_closed() == "end"
    service.proxy.wait_for_stat(2, "downstream_cx_max_duration_reached", "listener", "in")
    gate.open()
    response = busy.response()
    assert (response.body, response.values(b"Connection")) == (b"slow", [b"close"])
    assert busy.expect_closed() == "end"


def test_so_many_requests_each(service: HttpService) -> None:
    """The last one is told so; what comes behind it is not read."""
    origin = service.origin()
    service.serve(to(origin), http={"max_requests_per_connection": 2})
    with service.client() as client:
        client.send(get(b"/1") + get(b"/2") + get(b"/3"))
        assert client.response().values(b"Connection") == []
        assert client.response().values(b"Connection") == [b"close"]
        assert client.expect_closed() == "end"
    assert [message.target for message in origin.requests] == [b"/1", b"/2"]
    assert service.listener()["downstream_cx_max_requests_reached"] == 1
