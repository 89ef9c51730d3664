"""Mirrors: who gets a copy, what it says, and that the request never notices."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.http_messages import get, ok, ok_chunked, post, post_chunked, request, response
from tests.support.http_origin import Gate, HttpOrigin, Move
from tests.support.http_service import HttpService, to
from tests.support.waiting import wait_until


def serve(service: HttpService, cluster: dict[str, Any] | None = None, **mirror: Any) -> tuple[HttpOrigin, HttpOrigin]:
    """The origin and the mirror's."""
    origin, shadow = service.origin(), service.origin()
    settings = {"cluster": "shadow"} | mirror
    service.serve(
        to(origin), to(shadow, name="shadow", **(cluster or {})), routes=[{"cluster": "app", "mirrors": [settings]}]
    )
    return origin, shadow


def counts(service: HttpService) -> dict[str, int]:
    """The counters that are not 0."""
    return {name: value for name, value in service.proxy.stats("mirror", "shadow").items() if value}


def wait_for(service: HttpService, **expected: int) -> None:
    wait_until(lambda: counts(service) == expected, f"{expected}")


@pytest.mark.parametrize(
    ("sent", "body"),
    [
        (get(b"/x"), b""),
        (post(b"body", target=b"/x"), b"body"),
        (post_chunked(b"4\r\nbody\r\n5\r\n-more\r\n0\r\n\r\n", target=b"/x"), b"body-more"),
        (post(b"y" * 60_000, target=b"/x"), b"y" * 60_000),
    ],
    ids=["get", "length", "chunked", "long"],
)
def test_a_copy(service: HttpService, sent: bytes, body: bytes) -> None:
    origin, shadow = serve(service)
    with service.client() as client:
        for number in range(1, 3):
            assert client.exchange(sent).status == 200
            assert origin.requests[-1].body == body
            wait_for(service, total=number)
    assert len(shadow.requests) == 2
    for copy, original in zip(shadow.requests, origin.requests, strict=True):
        assert (copy.start, copy.body) == (original.start, original.body)
        assert copy.values(b"host") == [b"a-shadow"]
        assert copy.values(b"x-request-id") == original.values(b"x-request-id")
    # Over a pooled connection.
    assert len(shadow.connections) == 1
    assert service.cluster("shadow")["upstream_rq_2xx"] == 2
    service.proxy.wait_for_stat(0, "upstream_rq_active", "cluster", "shadow")


@pytest.mark.parametrize(
    ("host", "expected"),
    [
        (b"shop.example:8080", b"shop.example-shadow:8080"),
        (b"[::1]:80", b"[::1]-shadow:80"),
        (b"[::1]", b"[::1]-shadow"),
        (b"10.0.0.1", b"10.0.0.1-shadow"),
    ],
)
def test_the_name_of_the_shadow(service: HttpService, host: bytes, expected: bytes) -> None:
    _, shadow = serve(service)
    assert service.get(b"/", host=b"Host: " + host).status == 200
    wait_for(service, total=1)
    assert shadow.requests[0].values(b"host") == [expected]


def test_the_same_name(service: HttpService) -> None:
    _, shadow = serve(service, shadow_host=False)
    assert service.get(b"/").status == 200
    wait_for(service, total=1)
    assert shadow.requests[0].values(b"host") == [b"a"]


@pytest.mark.parametrize(
    "steps",
    [
        (ok_chunked(b"4\r\nbody\r\n0\r\nx-trailer: 1\r\n\r\n"),),
        (response(b"Content-Length: 3"), b"abc"),
        (b"HTTP/1.1 100 Continue\r\n\r\n" + ok(b"z" * 300_000),),
        (response(line=b"HTTP/1.1 204 No Content"),),
        (response(b"Connection: close") + b"until the end", Move.CLOSE),
        (response(b"Content-Length: 0", line=b"HTTP/1.1 503 No"),),
    ],
    ids=["trailers", "pieces", "interim", "none", "close", "error"],
)
def test_answers_are_thrown_away(service: HttpService, steps: tuple[Any, ...]) -> None:
    _, shadow = serve(service)
    shadow.on(b"/x", *steps)
    for number in range(1, 3):
        assert service.get(b"/x").status == 200
        wait_for(service, total=number)
    assert len(shadow.requests) == 2


@pytest.mark.parametrize(
    "steps",
    [(Move.RESET,), (Move.CLOSE,), (b"no http\r\n\r\n",), (ok(b"body")[:-1], Move.CLOSE), (ok_chunked(b"x\r\n"),)],
    ids=["reset", "close", "malformed", "cut", "chunk"],
)
def test_a_copy_that_fails(service: HttpService, steps: tuple[Any, ...]) -> None:
    origin, shadow = serve(service)
    shadow.on(b"/x", *steps)
    assert service.get(b"/x").status == 200
    wait_for(service, total=1, failed=1)
    assert len(origin.requests) == len(shadow.requests) == 1


def test_nobody_there(service: HttpService) -> None:
    _, shadow = serve(service)
    shadow.close()
    assert service.get(b"/x").status == 200
    wait_for(service, total=1, failed=1)


def test_a_mirror_that_hangs_delays_nobody(service: HttpService) -> None:
    gate = Gate()
    origin, shadow = serve(service, max_concurrent=2)
    shadow.on(b"/x", gate, ok(b""), when="head")
    with service.client() as client:
        assert [client.exchange(get(b"/x")).status for _ in range(4)] == [200] * 4
    gate.wait_reached(2)
    assert counts(service) == {"total": 2, "active": 2, "overflow": 2}
    gate.open()
    wait_for(service, total=2, overflow=2)
    assert len(origin.requests) == 4


def test_a_mirror_that_is_late_is_given_up(service: HttpService) -> None:
    gate = Gate()
    _, shadow = serve(service, timeout_ms=50)
    shadow.on(b"/x", gate, when="head")
    assert service.get(b"/x").status == 200
    wait_for(service, total=1, failed=1)
    shadow.wait(lambda: shadow.connections, "the copy")
    gate.open()


def test_breakers_of_its_cluster(service: HttpService) -> None:
    gate = Gate()
    _, shadow = serve(service, cluster={"circuit_breakers": {"max_requests": 1}})
    shadow.on(b"/x", gate, ok(b""), when="head")
    assert service.get(b"/x").status == 200
    gate.wait_reached()
    assert service.get(b"/x").status == 200
    wait_for(service, total=2, active=1, overflow=1)
    gate.open()
    wait_for(service, total=2, overflow=1)


def test_a_body_that_is_too_long(service: HttpService) -> None:
    origin, shadow = serve(service, max_body_bytes=1000)
    with service.client() as client:
        assert client.exchange(post(b"x" * 1000)).status == 200
        assert client.exchange(post(b"x" * 1001)).status == 200
        assert client.exchange(post(b"x" * 500_000)).status == 200
    wait_for(service, total=1, body_overflow=2)
    assert [len(message.body) for message in origin.requests] == [1000, 1001, 500_000]
    assert [len(message.body) for message in shadow.requests] == [1000]


def test_a_request_that_is_never_whole(service: HttpService) -> None:
    origin, shadow = serve(service)
    with service.client() as client:
        client.send(post(b"x" * 100)[:-1])
        origin.wait(lambda: origin.connections and origin.connections[0].unfinished, "the head")
        client.peer.reset()
    wait_for(service, cut=1)
    assert shadow.connections == []


def test_a_body_that_gets_too_long_as_it_comes(service: HttpService) -> None:
    """What was kept is given up in the middle, and the rest goes on."""
    origin, shadow = serve(service, max_body_bytes=400_000)
    body = bytes(range(256)) * 40_000
    with service.client() as client:
        assert client.exchange(post(body)).status == 200
    assert origin.requests[0].body == body
    wait_for(service, body_overflow=1)
    assert shadow.connections == []


def test_none_of_a_hundred(service: HttpService) -> None:
    _, shadow = serve(service, percentage=0)
    with service.client() as client:
        assert {client.exchange(get(b"/")).status for _ in range(100)} == {200}
    assert counts(service) == {}
    assert shadow.connections == []


def test_several_mirrors(service: HttpService) -> None:
    origin, one, two = service.origin(), service.origin(), service.origin()
    mirrors = [{"cluster": "one"}, {"cluster": "two", "max_body_bytes": 3}]
    routes = [{"cluster": "app"}]
    hosts = [{"name": "a", "hosts": ["*"], "routes": routes, "mirrors": mirrors}]
    service.serve(to(origin), to(one, name="one"), to(two, name="two"), virtual_hosts=hosts)
    with service.client() as client:
        assert client.exchange(post(b"1234")).status == 200
    one.wait(lambda: one.requests, "the copy")
    assert service.proxy.stats("mirror", "two")["body_overflow"] == 1
    assert two.connections == []


def test_head_is_copied_too(service: HttpService) -> None:
    _, shadow = serve(service)
    with service.client() as client:
        for _ in range(2):
            assert client.exchange(request(line=b"HEAD /x HTTP/1.1"), b"HEAD").status == 200
    wait_for(service, total=2)
    assert [message.start[0] for message in shadow.requests] == [b"HEAD"] * 2


def test_the_proxy_ends_with_copies_under_way(service: HttpService) -> None:
    gate = Gate()
    _, shadow = serve(service)
    shadow.on(b"/x", gate, when="head")
    assert service.get(b"/x").status == 200
    gate.wait_reached()
    service.proxy.close()
    gate.open()
