"""How large bodies may be."""

from __future__ import annotations

import pytest

from tests.support.http_messages import get, ok, ok_chunked, post, post_chunked, request, response
from tests.support.http_origin import Gate, Move
from tests.support.http_service import HttpService, to, wait_until_closed

LIMITS = {"request_bytes": 10, "response_bytes": 10}
CHUNKED_10 = b"5\r\n01234\r\n5\r\n56789\r\n0\r\n\r\n"
CHUNKED_11 = b"5\r\n01234\r\n6\r\n56789a\r\n0\r\n\r\n"


def test_a_request_that_says_it_is_too_large(service: HttpService) -> None:
    """413 before anything goes to an endpoint, and before anything more is asked for."""
    origin = service.origin()
    service.serve(to(origin), http={"body_limits": LIMITS})
    with service.client() as client:
        client.send(request(b"Content-Length: 11", b"Expect: 100-continue", line=b"POST / HTTP/1.1"))
        answer = client.response(b"POST")
        assert (answer.status, answer.values(b"Connection"), client.interim) == (413, [b"close"], [])
        assert answer.body == b"request_body_too_large"
        assert client.expect_closed() == "end"
    assert service.listener()["downstream_rq_too_large"] == 1
    assert (origin.connections, service.cluster()["upstream_cx_total"]) == ([], 0)


def test_requests_of_the_most(service: HttpService) -> None:
    """They pass, whether they say their size or not."""
    origin = service.origin()
    service.serve(to(origin), http={"body_limits": {"request_bytes": 10}})
    with service.client() as client:
        assert client.exchange(post(b"0123456789"), b"POST").status == 200
        assert client.exchange(post_chunked(CHUNKED_10), b"POST").status == 200
    assert [message.body for message in origin.requests] == [b"0123456789"] * 2
    assert service.listener()["downstream_rq_too_large"] == 0


@pytest.mark.parametrize("pieces", [(CHUNKED_11,), (CHUNKED_11[:12], CHUNKED_11[12:])])
def test_a_request_that_gets_too_large(service: HttpService, pieces: tuple[bytes, ...]) -> None:
    """413 once it is; the endpoint never sees all of it."""
    origin = service.origin()
    service.serve(to(origin), http={"body_limits": LIMITS})
    with service.client() as client:
        client.send(post_chunked(pieces[0]))
        if len(pieces) > 1:
            origin.wait(lambda: origin.connections and b"01234" in origin.connections[0].received, "the begin of it")
            client.send(pieces[1])
        answer = client.response(b"POST")
        assert (answer.status, answer.values(b"Connection")) == (413, [b"close"])
    assert service.listener()["downstream_rq_too_large"] == 1
    if service.cluster()["upstream_cx_total"]:
        wait_until_closed(origin)
    assert origin.requests == []
    assert all(b"a\r\n" not in each.received.partition(b"\r\n\r\n")[2] for each in origin.connections)


def test_a_request_that_gets_too_large_behind_its_answer(service: HttpService) -> None:
    """The response has begun: everything is cut."""
    origin = service.origin()
    origin.on(b"/", response(b"Content-Length: 10") + b"half", when="head")
    service.serve(to(origin), http={"body_limits": {"request_bytes": 10}})
    with service.client() as client:
        client.send(post_chunked(CHUNKED_11[:10]))
        assert client.received(4) == b"HTTP"
        client.send(CHUNKED_11[10:])
        client.until_end()
        assert client.ended == "reset"
    assert service.listener()["downstream_rq_too_large"] == 1


def test_a_response_that_says_it_is_too_large(service: HttpService) -> None:
    """502; HEAD only talks of the size."""
    origin = service.origin()
    origin.on(b"/large", ok(b"0123456789a"))
    origin.on(b"/head", response(b"Content-Length: 11"))
    origin.on(b"/fits", ok(b"0123456789"))
    service.serve(to(origin), http={"body_limits": LIMITS})
    with service.client() as client:
        answer = client.exchange(get(b"/large"))
        assert (answer.status, answer.body) == (502, b"response_body_too_large")
        assert client.exchange(get(b"/fits")).body == b"0123456789"
        assert client.exchange(request(line=b"HEAD /head HTTP/1.1"), b"HEAD").status == 200
    assert service.listener()["rs_too_large"] == 1
    wait_until_closed(origin)


@pytest.mark.parametrize("steps", [
    (ok_chunked(CHUNKED_10),),
    (response(b"Connection: close") + b"0123456789", Move.CLOSE),
])
def test_responses_of_the_most(service: HttpService, steps: tuple[bytes | Move, ...]) -> None:
    """They pass, whatever tells their end."""
    origin = service.origin()
    origin.on(b"/", *steps)
    service.serve(to(origin), http={"body_limits": LIMITS})
    assert service.get(b"/").body == b"0123456789"
    assert service.listener()["rs_too_large"] == 0


@pytest.mark.parametrize("body", [ok_chunked(CHUNKED_11), response(b"Connection: close") + b"0123456789a"])
@pytest.mark.parametrize("at_once", [True, False])
def test_a_response_that_gets_too_large(service: HttpService, body: bytes, at_once: bool) -> None:
    """502 while its head has not gone, and cut after that."""
    origin = service.origin()
    gate = Gate()
    head, _, rest = body.partition(b"\r\n\r\n")
    first = head + b"\r\n\r\n" + rest[:10]
    origin.on(b"/", *((body,) if at_once else (first, gate, rest[10:])), Move.CLOSE)
    service.serve(to(origin), http={"body_limits": LIMITS})
    with service.client() as client:
        client.send(get(b"/"))
        if at_once:
            assert client.response().status == 502
        else:
            assert client.received(4) == b"HTTP"
            gate.open()
            client.until_end()
            assert client.ended == "reset"
    assert service.listener()["rs_too_large"] == 1


def test_the_nearest_says(service: HttpService) -> None:
    """The route, then its virtual host, then the listener, each field by itself; 0 takes a limit away."""
    origin = service.origin()
    routes = [
        {"name": "none", "matches": [{"path": {"prefix": "/none"}}], "cluster": "app",
         "body_limits": {"request_bytes": 0}},
        {"name": "own", "matches": [{"path": {"prefix": "/own"}}], "cluster": "app",
         "body_limits": {"request_bytes": 3}},
        {"name": "host", "cluster": "app"},
    ]
    hosts = [{"name": "a", "hosts": ["*"], "body_limits": {"request_bytes": 2}, "routes": routes}]
    service.serve(to(origin), virtual_hosts=hosts, http={"body_limits": {"request_bytes": 1, "response_bytes": 20}})
    for target, size, status in (
        (b"/none", 4, 200), (b"/own", 3, 200), (b"/own", 4, 413), (b"/host", 2, 200), (b"/host", 3, 413),
    ):
        with service.client() as client:
            assert client.exchange(post(b"x" * size, target=target), b"POST").status == status, (target, size)
    origin.on(b"/none", ok(bytes(21)))
    assert service.get(b"/none").status == 502
