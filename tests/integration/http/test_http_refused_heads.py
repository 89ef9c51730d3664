"""Heads that could be read in two ways are answered by an error, and no byte of them gets to the origin."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.support import http_bad_requests as bad
from tests.support.http_bad_requests import Bad
from tests.support.http_mesh import HttpMesh, complaints, refused
from tests.support.http_messages import get, post, request, smuggled
from tests.support.peer import connect

GROUPS = {
    "lengths": bad.LENGTHS,
    "length-and-coding": bad.LENGTH_AND_CODING,
    "codings": bad.CODINGS,
    "fields": bad.FIELDS,
    "line-ends": bad.LINE_ENDS,
    "hosts": bad.HOSTS,
    "request-lines": bad.REQUEST_LINES,
    "options": bad.OPTIONS,
    "controls": bad.CONTROLS,
    "too-large": bad.TOO_LARGE,
}


def judgements(mesh: HttpMesh, before: bytes, group: list[Bad]) -> Iterator[tuple[str, str | None]]:
    """Send each behind `before`, which is answered."""
    for each in group:
        with mesh.client() as client:
            client.send(before + each.data)
            if before:
                assert client.response().status == 200
            yield each.name, refused(client, each.status)


@pytest.mark.parametrize("group", GROUPS)
def test_refused(mesh: HttpMesh, group: str) -> None:
    """The origin does not even see a connection for them."""
    assert complaints(judgements(mesh, b"", GROUPS[group])) == []
    assert mesh.exchange(get(b"/marker")).status == 200
    assert mesh.targets() == [b"/marker"]
    assert len(mesh.origin.connections) == 1


@pytest.mark.parametrize("group", ["lengths", "length-and-coding", "codings", "fields", "line-ends", "options"])
def test_refused_behind_a_good_request(mesh: HttpMesh, group: str) -> None:
    """The request before is answered as if nothing were behind it."""
    assert complaints(judgements(mesh, get(b"/good"), GROUPS[group])) == []
    assert set(mesh.targets()) == {b"/good"}


def test_refused_behind_a_body(mesh: HttpMesh) -> None:
    """So it is with a request whose body ends just before."""
    assert complaints(judgements(mesh, post(b"hello", target=b"/good"), bad.CODINGS + bad.LINE_ENDS)) == []
    assert set(mesh.targets()) == {b"/good"}


def test_the_answer_comes_before_the_end_of_an_endless_head(mesh: HttpMesh) -> None:
    """Who goes on sending still gets it."""
    with mesh.client() as client:
        client.send(b"GET / HTTP/1.1\r\nHost: a\r\nX: ")
        client.send(*[b"a" * 65536] * 64)
        assert refused(client, 431) is None
    assert mesh.targets() == []


def test_limits_are_exact(mesh: HttpMesh) -> None:
    """What just fits is passed on."""
    line = b"GET /" + b"a" * (8192 - len(b"GET / HTTP/1.1")) + b" HTTP/1.1"
    assert mesh.exchange(request(line=line)).status == 200
    assert mesh.exchange(request(*(b"X%d: a" % index for index in range(99)))).status == 200
    empty = request(b"X: ")
    assert mesh.exchange(request(b"X: " + b"a" * (61440 - len(empty)))).status == 200
    with mesh.client() as client:
        client.send(request(b"X: " + b"a" * (61441 - len(empty))))
        assert refused(client, 431) is None
    with mesh.client() as client:
        client.send(request(line=line.replace(b"/a", b"/aa")))
        assert refused(client, 414) is None
    assert len(mesh.finish()) == 3


def test_a_refused_client_holds_nothing_up(mesh: HttpMesh) -> None:
    """Whoever does not read the answer and does not close is rid of all the same."""
    for _ in range(50):
        peer = connect(mesh.proxy.address())
        peer.send(b"\0" + smuggled())
        peer.close()
    mesh.fence()
    assert mesh.exchange(get(b"/marker")).status == 200
    assert mesh.targets() == [b"/marker"]
