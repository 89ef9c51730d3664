"""Bytes that an upstream sends beyond a response reach nobody, and their connection is not used again."""

from __future__ import annotations

import pytest

from tests.support.http_bad_responses import EVIL
from tests.support.http_client import HttpClient
from tests.support.http_mesh import HttpMesh
from tests.support.http_messages import get, ok, ok_chunked, post, request, response
from tests.support.http_origin import Gate, Move

GET, HEAD = b"GET", b"HEAD"

# What is asked, what is answered, and what comes behind.
CASES = {
    "a response": (GET, ok(b"hello"), EVIL),
    "an empty line": (GET, ok(b"hello"), b"\r\n"),
    "one byte": (GET, ok(b"hello"), b"x"),
    "NUL": (GET, ok(b"hello"), b"\0"),
    "the begin of a response": (GET, ok(b"hello"), b"HTTP/1.1 200 OK\r\nX: "),
    "an interim response": (GET, ok(b"hello"), response(line=b"HTTP/1.1 100 Continue")),
    "behind no body": (GET, ok(b""), EVIL),
    "behind chunks": (GET, ok_chunked(b"5\r\nhello\r\n0\r\n\r\n"), EVIL),
    "chunks behind chunks": (GET, ok_chunked(b"5\r\nhello\r\n0\r\n\r\n"), b"5\r\nhello\r\n0\r\n\r\n"),
    "behind trailers": (GET, ok_chunked(b"5\r\nhello\r\n0\r\na: b\r\n\r\n"), EVIL),
    "the body of a HEAD": (HEAD, response(b"Content-Length: 5"), b"hello"),
    "a response as the body of a HEAD": (HEAD, response(b"Content-Length: %d" % len(EVIL)), EVIL),
    "chunks of a HEAD": (HEAD, response(b"Transfer-Encoding: chunked"), b"5\r\nhello\r\n0\r\n\r\n"),
    "the body of a 204": (GET, response(line=b"HTTP/1.1 204 No Content"), EVIL),
    "the body of a 304": (GET, response(b"Content-Length: %d" % len(EVIL), line=b"HTTP/1.1 304 Not Modified"), EVIL),
    "behind close": (GET, ok(b"hello", b"Connection: close"), EVIL),
    "behind 1.0": (GET, response(b"Content-Length: 5", line=b"HTTP/1.0 200 OK") + b"hello", EVIL),
    "a time-out": (GET, ok(b"hello"), response(b"Content-Length: 0", b"Connection: close", line=b"HTTP/1.1 408 x")),
}


def asked(method: bytes, target: bytes) -> bytes:
    """A request."""
    return request(line=b"%s %s HTTP/1.1" % (method, target))


def victims(mesh: HttpMesh, attacker: HttpClient, name: str) -> None:
    """Neither a second client nor the same one gets anything but its answer."""
    victim = mesh.client()
    for client in (victim, attacker, victim):
        if client.ended is None:
            assert client.exchange(get(b"/victim")).body == b"GET /victim\n", name


@pytest.mark.parametrize("when", ["together", "then", "later"])
def test_left_over_bytes(mesh: HttpMesh, when: str) -> None:
    """With the response; right behind it; or when the connection waits in the pool."""
    assert mesh.exchange(get(b"/first")).status == 200
    for index, (name, (method, answer, more)) in enumerate(CASES.items()):
        target, gate = b"/evil/%d" % index, Gate()
        steps = {"together": (answer + more,), "then": (answer, more), "later": (answer, gate, more)}[when]
        mesh.origin.on(target, *steps)
        attacker = mesh.client()
        found = attacker.exchange(asked(method, target), method)
        assert found.raw.startswith(b"HTTP/1.1 " + answer[9:12]), name
        assert b"evil" not in found.body, name
        gate.open()
        spoilt = mesh.origin.connection_of(target)
        mesh.origin.wait(lambda spoilt=spoilt: spoilt.ended, "the connection with left-over bytes is closed")
        victims(mesh, attacker, name)
        assert spoilt.requests[-1].target == target, name


def test_a_response_before_the_request(mesh: HttpMesh) -> None:
    """An origin that is one answer ahead does not stay so: nobody gets the answer to another one's request."""
    mesh.origin.on(b"", EVIL, when="connected")
    for index in range(5):
        found = mesh.exchange(get(b"/victim/%d" % index))
        assert found.body in (b"evil", b"GET /victim/%d\n" % index) or found.status in (502, 503)
        mesh.origin.wait(lambda: all(each.ended for each in mesh.origin.connections), "the answer that is too late")
    mesh.finish()
    assert all(len(each.requests) <= 1 for each in mesh.origin.connections)


@pytest.mark.parametrize("answer", [
    ok(b"hello", b"Connection: close"), ok(b"hello", b"Connection: x, Close"),
    response(b"Content-Length: 5", line=b"HTTP/1.0 200 OK") + b"hello",
    response(b"Content-Length: 5", b"Connection: keep-alive, close", line=b"HTTP/1.0 200 OK") + b"hello",
])  # fmt: skip
def test_a_connection_that_ends_is_not_used_again(mesh: HttpMesh, answer: bytes) -> None:
    """Where the origin says so, and then does not close."""
    mesh.origin.on(b"/last", answer)
    assert mesh.exchange(get(b"/last")).body == b"hello"
    assert mesh.exchange(get(b"/next")).status == 200
    spoilt = mesh.origin.connection_of(b"/last")
    assert [each.target for each in spoilt.requests] == [b"/last"]
    mesh.origin.wait(lambda: spoilt.ended, "it is closed")


@pytest.mark.parametrize("answer", [
    ok(b"hello"), ok(b""), ok_chunked(b"5\r\nhello\r\n0\r\n\r\n"), ok_chunked(b"5\r\nhello\r\n0\r\na: b\r\n\r\n"),
    response(line=b"HTTP/1.1 204 No Content"), response(line=b"HTTP/1.1 304 Not Modified"),
    response(b"Content-Length: 5", b"Connection: keep-alive", line=b"HTTP/1.0 200 OK") + b"hello",
    response(line=b"HTTP/1.1 100 Continue") + ok(b"hello"),
])  # fmt: skip
def test_a_good_connection_is_used_again(mesh: HttpMesh, answer: bytes) -> None:
    """Else the tests above would say nothing."""
    mesh.origin.on(b"/good", answer)
    for _ in range(3):
        assert mesh.exchange(get(b"/good")).status in (200, 204, 304)
    assert mesh.exchange(post(b"hello", target=b"/next")).status == 200
    mesh.finish()
    assert len(mesh.origin.connections) == 1


def test_a_connection_is_used_again_behind_a_large_body(mesh: HttpMesh) -> None:
    """However the body was moved; but not with a byte too many."""
    body = bytes(range(256)) * 8192
    chunked = ok_chunked(b"%x\r\n" % len(body) + body + b"\r\n0\r\n\r\n")
    for index, (answer, again) in enumerate([(ok(body), True), (chunked, True), (ok(body) + b"x", False)]):
        target = b"/large/%d" % index
        mesh.origin.on(target, answer)
        for _ in range(2):
            assert mesh.exchange(get(target)).body == body
        used = [one for one in mesh.origin.connections if any(each.target == target for each in one.requests)]
        assert len(used) == (1 if again else 2)


def test_left_over_bytes_and_a_request_at_one_time(mesh: HttpMesh) -> None:
    """The proxy learns of both in one turn: the bytes came first, so they are nobody's answer."""
    assert mesh.exchange(get(b"/first")).status == 200
    gate, sent = Gate(), Gate()
    mesh.origin.on(b"/evil", ok(b"hello"), gate, EVIL, sent)
    assert mesh.exchange(get(b"/evil")).body == b"hello"
    victim = mesh.client()
    mesh.fence()
    with mesh.proxy.held():
        gate.open()
        sent.wait_reached()
        victim.send(get(b"/victim"))
    sent.open()
    assert victim.response().body == b"GET /victim\n"


def test_a_connection_that_has_gone_from_the_pool(mesh: HttpMesh) -> None:
    """The origin closes what waits; the next request gets a new one, and its answer."""
    for move in (Move.CLOSE, Move.RESET):
        target = b"/" + move.name.encode()
        gate = Gate()
        mesh.origin.on(target, ok(b"hello"), gate, move)
        assert mesh.exchange(get(target)).body == b"hello"
        gate.open()
        mesh.origin.wait(lambda target=target: mesh.origin.connection_of(target).ended, "it has gone")
        mesh.fence()
        assert mesh.exchange(post(b"x", target=b"/next")).body == b"POST /next\nx"


def test_the_answer_to_a_request_that_is_not_complete(mesh: HttpMesh) -> None:
    """The rest of its body is never taken for a request, by anybody."""
    smuggle = get(b"/smuggled")
    mesh.origin.on(b"/early", ok(b"early"), when="head")
    head = request(b"Content-Length: %d" % len(smuggle), line=b"POST /early HTTP/1.1")
    with mesh.client() as client:
        assert client.exchange(head).body == b"early"
        victim = mesh.client()
        assert victim.exchange(get(b"/victim/1")).body == b"GET /victim/1\n"
        client.send(smuggle)
        client.send(get(b"/behind"))
        rest = client.until_end() if client.ended else b""
        assert b"smuggled" not in rest
        assert victim.exchange(get(b"/victim/2")).body == b"GET /victim/2\n"
    assert b"/smuggled" not in mesh.targets()
