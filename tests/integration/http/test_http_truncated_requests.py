"""Requests whose client goes before their end: the origin never takes them for complete."""

from __future__ import annotations

import pytest

from tests.support.http_mesh import HttpMesh
from tests.support.http_messages import every_cut, get, post, post_chunked
from tests.support.http_origin import Gate

MESSAGES = {
    "length": post(b"hello", target=b"/cut"),
    "chunked": post_chunked(b"5;a=b\r\nhello\r\n3\r\nabc\r\n0\r\nX-Sum: y\r\n\r\n", target=b"/cut"),
}


@pytest.mark.parametrize("how", ["close", "reset", "half-close"])
@pytest.mark.parametrize("message", MESSAGES)
def test_cut_at_every_byte(mesh: HttpMesh, message: str, how: str) -> None:
    """However the client goes."""
    for part, _ in every_cut(MESSAGES[message]):
        client = mesh.client()
        client.send(part)
        if how == "half-close":
            client.peer.end()
            assert not client.until_end().startswith(b"HTTP/1.1 2")
        elif how == "reset":
            client.peer.reset()
        else:
            client.peer.close()
    mesh.fence()
    assert mesh.exchange(get(b"/marker")).status == 200
    assert mesh.targets() == [b"/marker"]


@pytest.mark.parametrize("message", MESSAGES)
def test_cut_when_the_origin_has_the_head(mesh: HttpMesh, message: str) -> None:
    """What it has of the body stays without an end."""
    data = MESSAGES[message]
    begin = data.index(b"\r\n\r\n") + 4
    for cut in range(begin, len(data)):
        client = mesh.client()
        client.send(data[:cut])
        mesh.origin.wait(lambda: any(one.unfinished and not one.ended for one in mesh.origin.connections), "the head")
        client.peer.close()
        mesh.origin.wait(lambda: all(one.ended for one in mesh.origin.connections if one.unfinished), "its cut")
    assert mesh.exchange(get(b"/marker")).status == 200
    assert mesh.targets() == [b"/marker"]


def test_a_client_that_goes_while_it_waits(mesh: HttpMesh) -> None:
    """The connection whose answer nobody waits for is not used again; the answer reaches nobody."""
    gate = Gate()
    mesh.origin.on(b"/slow", gate, b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil")
    client = mesh.client()
    client.send(get(b"/slow"))
    gate.wait_reached()
    client.peer.reset()
    mesh.fence()
    assert mesh.exchange(get(b"/marker")).body == b"GET /marker\n"
    gate.open()
    for index in range(3):
        assert mesh.exchange(get(b"/later/%d" % index)).body == b"GET /later/%d\n" % index
    assert mesh.origin.connection_of(b"/slow") is not mesh.origin.connection_of(b"/marker")


def test_a_client_that_says_no_more_gets_its_answer(mesh: HttpMesh) -> None:
    """A half-close behind a complete request is none of its truncation."""
    for data in (get(b"/last"), post(b"hello", target=b"/last"), post_chunked(b"0\r\n\r\n", target=b"/last")):
        with mesh.client() as client:
            client.send(data)
            client.peer.end()
            assert client.response().body.startswith(data.split(b" ")[0] + b" /last\n")
            client.expect_closed()
