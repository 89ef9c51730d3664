"""Several requests on one connection, sent without waiting: each gets its own answer, in order."""

from __future__ import annotations

import random

import pytest

from tests.support.http_client import in_pieces
from tests.support.http_mesh import HttpMesh, refused
from tests.support.http_messages import get, ok, post, post_chunked, request, response
from tests.support.http_origin import Gate, Move

# What is sent, and what its answer is made of.
REQUESTS = [
    (get(b"/1"), b"GET", b"GET /1\n"),
    (post(b"hello", target=b"/2"), b"POST", b"POST /2\nhello"),
    (request(line=b"HEAD /3 HTTP/1.1"), b"HEAD", b""),
    (post_chunked(b"5;a\r\nhello\r\n6\r\n world\r\n0\r\nX: y\r\n\r\n", target=b"/4"), b"POST", b"POST /4\nhello world"),
    (post(b"", target=b"/5"), b"POST", b"POST /5\n"),
    (post(get(b"/smuggled"), target=b"/6"), b"POST", b"POST /6\n" + get(b"/smuggled")),
    (post_chunked(b"0\r\n\r\n", target=b"/7"), b"POST", b"POST /7\n"),
    (b"\r\n" + get(b"/8"), b"GET", b"GET /8\n"),
    (request(b"Content-Length: 2", line=b"DELETE /9 HTTP/1.1") + b"\r\n", b"DELETE", b"DELETE /9\n\r\n"),
]
STREAM = b"".join(data for data, _, _ in REQUESTS)
TARGETS = [b"/%d" % index for index in range(1, 10)]


def test_all_at_once(mesh: HttpMesh) -> None:
    """Each is answered by its own answer."""
    with mesh.client() as client:
        client.send(STREAM * 20)
        for _ in range(20):
            for _, method, body in REQUESTS:
                assert client.response(method).body == body
    assert mesh.targets() == TARGETS * 20


@pytest.mark.parametrize("seed", range(4))
def test_in_any_pieces(mesh: HttpMesh, seed: int) -> None:
    """However they are cut."""
    chance = random.Random(seed)
    with mesh.client() as client:
        for _ in range(20):
            client.send(*in_pieces(STREAM, chance.sample(range(1, len(STREAM)), chance.choice([1, 3, 30, 200]))))
            for _, method, body in REQUESTS:
                assert client.response(method).body == body
    assert mesh.targets() == TARGETS * 20


def test_a_slow_one_is_waited_for(mesh: HttpMesh) -> None:
    """The second may be ready long before the first."""
    gate = Gate()
    mesh.origin.on(b"/slow", gate, ok(b"slow"))
    with mesh.client() as client:
        client.send(get(b"/slow") + get(b"/fast") + post(b"x", target=b"/fast"))
        gate.wait_reached()
        mesh.fence()
        gate.open()
        assert [client.response().body for _ in range(3)] == [b"slow", b"GET /fast\n", b"POST /fast\nx"]


def test_nothing_follows_close(mesh: HttpMesh) -> None:
    """What comes behind the last request is not looked at (RFC 9112, section 9.6)."""
    last = [request(b"Connection: close", line=b"GET /last HTTP/1.1"), request(line=b"GET /last HTTP/1.0"),
            request(b"Connection: keep-alive, CLOSE", line=b"GET /last HTTP/1.1")]  # fmt: skip
    for data in last:
        with mesh.client() as client:
            client.send(get(b"/first") + data + get(b"/smuggled") + b"\0")
            assert client.response().body == b"GET /first\n"
            assert client.response().body == b"GET /last\n"
            client.expect_closed()
    assert mesh.targets() == [b"/first", b"/last"] * 3


def test_a_fault_is_the_last_that_is_answered(mesh: HttpMesh) -> None:
    """Requests before it are answered first."""
    with mesh.client() as client:
        client.send(get(b"/1") + post(b"hello", target=b"/2") + b"GET / HTTP/1.1\r\n\r\n" + get(b"/smuggled"))
        assert client.response().body == b"GET /1\n"
        assert client.response().body == b"POST /2\nhello"
        assert refused(client, 400) is None
    assert mesh.targets() == [b"/1", b"/2"]


def test_a_fault_waits_for_a_slow_answer(mesh: HttpMesh) -> None:
    """The refusal does not overtake it."""
    gate = Gate()
    mesh.origin.on(b"/slow", gate, ok(b"slow"))
    with mesh.client() as client:
        client.send(get(b"/slow") + b"\0")
        gate.wait_reached()
        mesh.fence()
        gate.open()
        assert client.response().body == b"slow"
        assert refused(client, 400) is None


def test_an_upstream_that_fails_in_between(mesh: HttpMesh) -> None:
    """A bad answer costs only its own request; one that is cut ends the connection. None gets another's answer."""
    mesh.origin.on(b"/bad", response(b"Content-Length: x") + ok(b"evil"))
    mesh.origin.on(b"/cut", ok(b"hello")[:-1], Move.CLOSE)
    with mesh.client() as client:
        client.send(get(b"/1") + get(b"/bad") + get(b"/2"))
        assert client.response().body == b"GET /1\n"
        assert client.response().status == 502
        assert client.response().body == b"GET /2\n"
    with mesh.client() as client:
        client.send(get(b"/1") + get(b"/cut") + get(b"/2"))
        assert client.response().body == b"GET /1\n"
        assert b"GET /2" not in client.until_end()


def test_large_bodies_in_a_row(mesh: HttpMesh) -> None:
    """Larger than any buffer, with small ones between."""
    body = bytes(range(256)) * 2048
    mesh.origin.on(b"/large", ok(body))
    chunked = b"%x\r\n" % len(body) + body + b"\r\n0\r\n\r\n"
    with mesh.client() as client:
        for _ in range(3):
            client.send(post(body, target=b"/large") + get(b"/1"))
            client.send(post_chunked(chunked, target=b"/large") + get(b"/2"))
            assert client.response().body == body
            assert client.response().body == b"GET /1\n"
            assert client.response().body == body
            assert client.response().body == b"GET /2\n"
    assert [each.body for each in mesh.finish()] == [body, b"", body, b""] * 3
