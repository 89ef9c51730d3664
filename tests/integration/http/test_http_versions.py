"""HTTP/1.0 beside 1.1 on either side, and when connections end."""

from __future__ import annotations

import pytest

from tests.support.http_mesh import HttpMesh, kept_fields
from tests.support.http_messages import get, ok, ok_chunked, post, request, response
from tests.support.http_origin import Move

OLD = b"GET / HTTP/1.0"
KEEP = b"Connection: keep-alive"


def test_1_0_without_keep_alive(mesh: HttpMesh) -> None:
    """One answer, then the end."""
    with mesh.client() as client:
        found = client.exchange(request(line=OLD))
        assert (found.status, found.values(b"Connection")) == (200, [b"close"])
        assert client.expect_closed() == "end"
    (arrived,) = mesh.finish()
    assert (arrived.version, kept_fields(arrived)) == (b"1.1", [(b"Host", b"a")])


def test_1_0_with_keep_alive(mesh: HttpMesh) -> None:
    """It is told that the connection goes on."""
    with mesh.client() as client:
        for fields in ((KEEP,), (b"Connection: x, Keep-Alive",)):
            found = client.exchange(request(*fields, line=OLD))
            assert (found.status, found.values(b"Connection")) == (200, [b"keep-alive"])
        assert client.exchange(request(b"Connection: keep-alive, close", line=OLD)).values(b"Connection") == [b"close"]
        client.expect_closed()
    assert len(mesh.finish()) == 3
    assert len(mesh.origin.connections) == 1


def test_1_0_without_host(mesh: HttpMesh) -> None:
    """It need not have one; the origin gets a Host all the same, as every request of 1.1 has."""
    assert mesh.exchange(request(line=OLD, host=None)).status == 200
    (found,) = mesh.finish()
    assert len(found.values(b"Host")) == 1


def test_bodies_of_1_0_requests(mesh: HttpMesh) -> None:
    """By Content-Length, or none."""
    with mesh.client() as client:
        for body in (b"hello", b""):
            data = request(KEEP, b"Content-Length: %d" % len(body), line=b"POST / HTTP/1.0") + body
            assert client.exchange(data).body == b"POST /\n" + body
        assert client.exchange(request(line=b"POST / HTTP/1.0") + b"not a body").body == b"POST /\n"
        client.expect_closed()
    assert [each.body for each in mesh.finish()] == [b"hello", b"", b""]


@pytest.mark.parametrize("fields", [(), (KEEP,)])
def test_no_chunks_for_1_0(mesh: HttpMesh, fields: tuple[bytes, ...]) -> None:
    """Its body goes until the end, without trailers (RFC 9112, section 6.1)."""
    mesh.origin.on(b"/", ok_chunked(b"5;a\r\nhello\r\n6\r\n world\r\n0\r\nX-Sum: y\r\n\r\n", b"X: y"))
    with mesh.client() as client:
        client.send(request(*fields, line=OLD))
        data = client.until_end()
    assert client.ended == "end"
    head, _, body = data.partition(b"\r\n\r\n")
    assert body == b"hello world"
    assert b"transfer-encoding" not in head.lower()
    assert b"\r\nConnection: close" in head
    assert mesh.exchange(get(b"/next")).body == b"GET /next\n"


def test_close_by_the_client(mesh: HttpMesh) -> None:
    """The answer says so; the upstream connection goes on."""
    for value in (b"close", b"Close", b"x, CLOSE", b"close, keep-alive", b",,close,"):
        with mesh.client() as client:
            assert client.exchange(request(b"Connection: " + value)).values(b"Connection") == [b"close"]
            assert client.expect_closed() == "end"
    assert len(mesh.finish()) == 5
    assert len(mesh.origin.connections) == 1


def test_close_by_the_origin(mesh: HttpMesh) -> None:
    """The client's connection goes on."""
    mesh.origin.on(b"/close", ok(b"hello", b"Connection: close"), Move.CLOSE)
    with mesh.client() as client:
        for _ in range(3):
            found = client.exchange(get(b"/close"))
            assert (found.body, found.values(b"Connection")) == (b"hello", [])
        assert client.exchange(get(b"/next")).body == b"GET /next\n"
    mesh.finish()
    assert len(mesh.origin.connections) == 4


@pytest.mark.parametrize("line", [b"HTTP/1.1 200 OK", b"HTTP/1.0 200 OK"])
def test_a_body_until_the_end_of_the_upstream_connection(mesh: HttpMesh, line: bytes) -> None:
    """It is complete with the orderly end, however it is framed for the client."""
    mesh.origin.on(b"/until", response(b"X: y", line=line) + b"hello ", b"world", Move.CLOSE)
    for data in (get(b"/until"), request(line=b"GET /until HTTP/1.0"), request(KEEP, line=b"GET /until HTTP/1.0")):
        with mesh.client() as client:
            found = client.exchange(data)
            assert (found.version, found.body, found.values(b"X")) == (b"1.1", b"hello world", [b"y"])
            if found.values(b"Connection") == [b"close"]:
                assert client.expect_closed() == "end"


def test_answers_of_1_0_origins(mesh: HttpMesh) -> None:
    """They come as 1.1; a connection is kept only where the origin says so."""
    for fields, connections in (((), 3), ((KEEP,), 1)):
        target = b"/%d" % connections
        mesh.origin.on(target, response(b"Content-Length: 5", *fields, line=b"HTTP/1.0 200 OK") + b"hello")
        with mesh.client() as client:
            for _ in range(3):
                found = client.exchange(get(target))
                assert (found.version, found.body, found.values(b"Connection")) == (b"1.1", b"hello", [])
        used = [one for one in mesh.origin.connections if any(each.target == target for each in one.requests)]
        assert len(used) == connections


def test_many_requests_on_one_connection(mesh: HttpMesh) -> None:
    """Nothing piles up."""
    with mesh.client() as client:
        for index in range(200):
            assert client.exchange(post(b"x" * index)).body == b"POST /\n" + b"x" * index
    mesh.finish()
    assert len(mesh.origin.connections) == 1
