"""Interim responses: 100 (Continue) from end to end, 103 (Early Hints), and what could be mistaken for them."""

from __future__ import annotations

import pytest

from tests.support.http_mesh import HttpMesh
from tests.support.http_messages import get, ok, request, response
from tests.support.http_origin import Gate

CONTINUE = response(line=b"HTTP/1.1 100 Continue")
EXPECT = b"Expect: 100-continue"


def expecting(target: bytes, *fields: bytes, version: bytes = b"1.1") -> bytes:
    """The head of a request that waits before it sends its body."""
    return request(EXPECT, *fields, line=b"POST %s HTTP/%s" % (target, version))


@pytest.mark.parametrize(("field", "body"), [
    (b"Content-Length: 5", b"hello"), (b"Transfer-Encoding: chunked", b"5\r\nhello\r\n0\r\n\r\n"),
])  # fmt: skip
def test_continue_from_end_to_end(mesh: HttpMesh, field: bytes, body: bytes) -> None:
    """The origin gets the head with its Expect; its 100 goes to the client before any body has come."""
    mesh.origin.on(b"/", CONTINUE, when="head")
    with mesh.client() as client:
        for _ in range(3):
            client.send(expecting(b"/", field))
            assert client.interim_response().startswith(b"HTTP/1.1 100 ")
            assert (mesh.origin.connections[0].received[-4:]) == b"\r\n\r\n"
            mesh.origin.on(b"/", ok(b"done"))  # when the request is complete
            client.send(body)
            assert client.response().body == b"done"
            mesh.origin.on(b"/", CONTINUE, when="head")
    found = mesh.finish()
    assert [(each.body, each.values(b"Expect")) for each in found] == [(b"hello", [b"100-continue"])] * 3
    assert len(mesh.origin.connections) == 1


def test_a_client_that_does_not_wait(mesh: HttpMesh) -> None:
    """Expect with the body right behind: nobody waits for anybody."""
    mesh.origin.on(b"/", CONTINUE, ok(b"done"))
    with mesh.client() as client:
        for _ in range(3):
            client.send(expecting(b"/", b"Content-Length: 5") + b"hello")
            assert client.response().body == b"done"
            assert [each.status for each in client.interim] == [100]
    assert [each.body for each in mesh.finish()] == [b"hello"] * 3


@pytest.mark.parametrize("status", [b"413 Content Too Large", b"401 Unauthorized", b"200 OK", b"417 No"])
def test_an_answer_instead_of_continue(mesh: HttpMesh, status: bytes) -> None:
    """The client may leave its body out or send it: neither way are its bytes taken for a request."""
    smuggle = get(b"/smuggled")
    mesh.origin.on(b"/", response(b"Content-Length: 2", line=b"HTTP/1.1 " + status) + b"no", when="head")
    for sends in (True, False):
        with mesh.client() as client:
            found = client.exchange(expecting(b"/", b"Content-Length: %d" % len(smuggle)))
            assert (found.status, found.body) == (int(status[:3]), b"no")
            if sends:
                client.send(smuggle)
            client.send(get(b"/next"))
            client.peer.end()
            assert client.until_end().count(b"/smuggled") == 0
        assert mesh.exchange(get(b"/victim")).body == b"GET /victim\n"
    assert b"/smuggled" not in mesh.targets()


def test_continue_twice(mesh: HttpMesh) -> None:
    """Every one of them goes on."""
    mesh.origin.on(b"/", CONTINUE * 2, ok(b"done"))
    with mesh.client() as client:
        client.send(expecting(b"/", b"Content-Length: 5") + b"hello")
        assert client.response().body == b"done"
        assert [each.status for each in client.interim] == [100, 100]


def test_an_interim_response_unasked(mesh: HttpMesh) -> None:
    """A client of 1.1 must be able to take it; the pool is not disturbed."""
    for status in (b"100 Continue", b"102 Processing", b"103 Early Hints", b"199 x"):
        mesh.origin.on(b"/", response(b"X: y", line=b"HTTP/1.1 " + status), ok(b"done"))
        with mesh.client() as client:
            client.send(get(b"/"))
            assert client.response().body == b"done"
            assert [each.status for each in client.interim] in ([int(status[:3])], [])
    assert mesh.exchange(get(b"/next")).body == b"GET /next\n"
    mesh.finish()
    assert len(mesh.origin.connections) == 1


def test_early_hints_come_early(mesh: HttpMesh) -> None:
    """Before there is a final response, with their fields; those for the connection only stay."""
    gate = Gate()
    fields = (b"Link: </a>; rel=preload", b"link: </b>", b"Connection: x", b"X: secret")
    hints = response(*fields, line=b"HTTP/1.1 103 Early Hints")
    mesh.origin.on(b"/", hints, hints, gate, ok(b"done"))
    with mesh.client() as client:
        client.send(get(b"/"))
        expected = b"HTTP/1.1 103 Early Hints\r\nLink: </a>; rel=preload\r\nlink: </b>\r\n\r\n"
        assert client.interim_response() == expected
        assert client.interim_response() == expected
        gate.open()
        assert client.response().body == b"done"


def test_a_client_of_1_0_gets_no_interim_response(mesh: HttpMesh) -> None:
    """It would take it for the answer (RFC 9110, section 15.2); its Expect is not passed on."""
    mesh.origin.on(b"/", CONTINUE, response(b"Link: </a>", line=b"HTTP/1.1 103 Early Hints"), ok(b"done"))
    found = mesh.exchange(expecting(b"/", b"Content-Length: 5", version=b"1.0") + b"hello")
    assert (found.status, found.body) == (200, b"done")
    (arrived,) = mesh.finish()
    assert (arrived.body, arrived.values(b"Expect")) == (b"hello", [])


def test_many_interim_responses(mesh: HttpMesh) -> None:
    """A thousand of them disturb nobody."""
    mesh.origin.on(b"/", response(b"X: y", line=b"HTTP/1.1 103 Early Hints") * 1000, ok(b"done"))
    with mesh.client() as client:
        client.send(get(b"/"))
        assert client.response().body == b"done"
        assert len(client.interim) == 1000
