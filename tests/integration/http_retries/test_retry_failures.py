"""Requests whose connection fails before an answer: which are tried again, and what their origins see."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.http_messages import get, post, post_chunked, request, response
from tests.support.http_origin import HttpOrigin, Move
from tests.support.http_service import HttpService, to
from tests.support.peer import refusing

QUICK = {"base_interval_ms": 1}


def route(*origins: HttpOrigin | str, **retry: Any) -> dict[str, Any]:
    """Routes with such a policy, and the endpoints in turn."""
    return {"routes": [{"cluster": "app", "retry": QUICK | retry}]}


def serve(service: HttpService, *origins: HttpOrigin | str, **retry: Any) -> None:
    service.serve(to(*origins, load_balancer="round_robin"), **route(**retry))


def failing(service: HttpService, *steps: Any) -> HttpOrigin:
    """An origin that does this with every request, once it is whole."""
    origin = service.origin()
    for target in (b"/", b"/x"):
        origin.on(target, *steps)
    return origin


@pytest.mark.parametrize("steps", [(Move.CLOSE,), (Move.RESET,), (b"no HTTP\r\n\r\n", Move.CLOSE)])
@pytest.mark.parametrize("method", [b"GET", b"PUT", b"DELETE"])
def test_an_idempotent_request_is_tried_at_another_endpoint(
    service: HttpService, steps: tuple[Any, ...], method: bytes
) -> None:
    bad, good = failing(service, *steps), service.origin()
    serve(service, bad, good)
    message = request(b"Content-Length: 5", line=method + b" / HTTP/1.1") + b"hello"
    with service.client() as client:
        for _ in range(4):
            assert client.exchange(message, method).body == method + b" /\nhello"
    assert len(good.requests) == 4
    assert {each.body for each in bad.requests} == {b"hello"}
    stats = service.cluster()
    assert stats["upstream_rq_retry"] == stats["upstream_rq_retry_success"] == len(bad.requests) > 0
    assert service.proxy.gauges()["upstream_rq_retry_active"] == 0


@pytest.mark.parametrize("step", [Move.CLOSE, Move.RESET])
@pytest.mark.parametrize("method", [b"POST", b"PATCH", b"LOCK"])
def test_what_may_have_been_processed_is_not_sent_twice(service: HttpService, step: Move, method: bytes) -> None:
    """The origins have read it, whatever became of it."""
    origins = [failing(service, step) for _ in range(2)]
    serve(service, *origins, retry_on=["5xx"], attempts=3)
    message = request(b"Content-Length: 5", line=method + b" / HTTP/1.1") + b"hello"
    with service.client() as client:
        for _ in range(4):
            assert client.exchange(message, method).status == 503
    assert sum(service.served(*origins)) == 4
    assert service.cluster()["upstream_rq_retry"] == 0


@pytest.mark.parametrize(
    ("retry", "fields"),
    [
        ({"non_idempotent": True}, ()),
        ({"methods": ["POST"]}, ()),
        ({}, (b"Idempotency-Key: 8e03978e",)),
    ],
)
def test_unless_the_route_or_the_client_says_so(
    service: HttpService, retry: dict[str, Any], fields: tuple[bytes, ...]
) -> None:
    bad, good = failing(service, Move.CLOSE), service.origin()
    serve(service, bad, good, **retry)
    with service.client() as client:
        for _ in range(2):
            assert client.exchange(post(b"hello", *fields), b"POST").body == b"POST /\nhello"
    assert bad.requests
    assert len(good.requests) == 2


def test_methods_that_the_route_leaves_out(service: HttpService) -> None:
    bad, good = failing(service, Move.CLOSE), service.origin()
    serve(service, bad, good, methods=["HEAD"])
    statuses = {service.get(b"/").status for _ in range(2)}
    assert statuses == {200, 503}


def test_every_attempt_fails(service: HttpService) -> None:
    """Each endpoint is tried once; the flag says that there were retries."""
    origins = [failing(service, Move.CLOSE) for _ in range(3)]
    serve(service, *origins, attempts=2)
    assert service.get(b"/").status == 503
    assert service.served(*origins) == [1, 1, 1]
    stats = service.cluster()
    assert (stats["upstream_rq_retry"], stats["upstream_rq_retry_success"]) == (2, 0)
    assert stats["upstream_rq_retry_limit_exceeded"] == 1
    assert stats["upstream_rq_retry_backoff_exponential"] == 2


def test_a_policy_that_leaves_resets_out(service: HttpService) -> None:
    """A fresh connection that ends says nothing of what was processed."""
    origins = [failing(service, Move.CLOSE) for _ in range(2)]
    serve(service, *origins, retry_on=["connect-failure"])
    assert service.get(b"/").status == 503
    assert sum(service.served(*origins)) == 1


def test_no_attempts_at_all(service: HttpService) -> None:
    """Not even of connections that are refused."""
    with refusing() as address:
        serve(service, address, service.origin(), attempts=0)
        assert sorted(service.get(b"/").status for _ in range(2)) == [200, 503]


def test_a_connection_that_is_refused(service: HttpService) -> None:
    """Also a request that must not be sent twice is."""
    origin = service.origin()
    with refusing() as one, refusing() as two:
        serve(service, one, two, origin, retry_on=[])
        with service.client() as client:
            for _ in range(3):
                assert client.exchange(post(b"hello"), b"POST").body == b"POST /\nhello"
    assert len(origin.requests) == 3
    assert service.cluster()["upstream_cx_retry"] == service.cluster()["upstream_rq_retry"] >= 2


def test_an_origin_that_speaks_first(service: HttpService) -> None:
    """Whether that is seen before the request goes, or behind it."""
    bad, good = service.origin(), service.origin()
    bad.on(b"", b"220 mail here\r\n", when="connected")
    serve(service, bad, good)
    with service.client() as client:
        assert {client.exchange(get(b"/")).body for _ in range(4)} == {b"GET /\n"}
    assert len(good.requests) == 4


def test_bodies_in_chunks_and_their_trailers(service: HttpService) -> None:
    """What is sent again is what was sent: framing, trailers and all."""
    bad, good = failing(service, Move.CLOSE), service.origin()
    serve(service, bad, good, methods=["POST"])
    body = b"5\r\nhello\r\n6;x=y\r\n world\r\n0\r\nX-Sum: 1\r\n\r\n"
    with service.client() as client:
        for _ in range(2):
            assert client.exchange(post_chunked(body), b"POST").body == b"POST /\nhello world"
    assert {tuple(each.trailers) for each in (*bad.requests, *good.requests)} == {((b"X-Sum", b"1"),)}
    assert bad.requests
    assert all(each.fields in [one.fields for one in good.requests] for each in bad.requests)


def test_a_body_that_is_still_coming(service: HttpService) -> None:
    """The attempt fails with the head; what comes later goes where the request went then."""
    bad, good = service.origin(), service.origin()
    bad.on(b"/", Move.RESET, when="head")
    serve(service, bad, good, methods=["POST"])
    with service.client() as client:
        for _ in range(2):
            client.send(request(b"Content-Length: 10", line=b"POST / HTTP/1.1") + b"hello")
            good.wait(lambda: any(each.unfinished for each in good.connections), "the begin of the request")
            client.send(b"world")
            assert client.response(b"POST").body == b"POST /\nhelloworld"
    assert bad.requests == []


@pytest.mark.parametrize(("size", "retried"), [(3000, True), (5000, False), (600_000, False)])
def test_bodies_beyond_the_bound(service: HttpService, size: int, retried: bool) -> None:
    """More than is kept cannot be sent again."""
    bad, good = failing(service, Move.CLOSE), service.origin()
    serve(service, bad, good, methods=["POST"], max_body_bytes=4000)
    body = bytes(range(256)) * (size // 256)
    with service.client() as client:
        answers = [client.exchange(post(body), b"POST") for _ in range(2)]
    assert sorted(each.status for each in answers) == ([200, 200] if retried else [200, 503])
    assert {each.body for each in (*bad.requests, *good.requests)} == {body}


def test_an_upgrade_is_not_sent_twice(service: HttpService) -> None:
    origins = [failing(service, Move.CLOSE) for _ in range(2)]
    service.serve(
        to(*origins), routes=[{"cluster": "app", "upgrades": ["websocket"], "retry": QUICK | {"retry_on": ["5xx"]}}])
    assert service.get(b"/", b"Connection: upgrade", b"Upgrade: websocket").status == 503
    assert sum(service.served(*origins)) == 1


def test_nothing_is_tried_again_once_an_answer_has_begun(service: HttpService) -> None:
    bad = failing(service, response(b"Content-Length: 10") + b"half", Move.RESET)
    good = service.origin()
    serve(service, bad, good, retry_on=["5xx"])
    with service.client() as client:
        client.send(get(b"/"))
        client.send(get(b"/"))
        received = client.peer.receive_what_comes()
    assert received.endswith(b"half")
    assert service.cluster()["upstream_rq_retry"] == 0


def test_interim_answers_do_not_prevent_it(service: HttpService) -> None:
    bad, good = failing(service, response(line=b"HTTP/1.1 103 Early Hints"), Move.RESET), service.origin()
    serve(service, bad, good)
    with service.client() as client:
        assert {client.exchange(get(b"/")).status for _ in range(2)} == {200}
    assert service.cluster()["upstream_rq_retry_success"] == len(bad.requests) > 0


def test_the_virtual_hosts_policy(service: HttpService) -> None:
    """It is for the routes that have none."""
    bad, good = failing(service, Move.CLOSE), service.origin()
    routes = [
        {"matches": [{"path": {"exact": "/x"}}], "cluster": "app", "retry": {"attempts": 0}},
        {"cluster": "app"},
    ]
    host = {"name": "a", "hosts": ["*"], "retry": QUICK, "routes": routes}
    service.serve(to(bad, good, load_balancer="round_robin"), virtual_hosts=[host])
    assert {service.get(b"/").status for _ in range(2)} == {200}
    assert {service.get(b"/x").status for _ in range(2)} == {200, 503}
