"""HEAD, 204 and 304: whatever their fields say, the next byte belongs to the next response."""

from __future__ import annotations

import pytest

from tests.support.http_mesh import HttpMesh
from tests.support.http_messages import get, request, response

HEAD = request(line=b"HEAD / HTTP/1.1")

# What a HEAD's answer says of a length, and what is passed on of that.
LENGTHS: dict[tuple[bytes, ...], list[bytes]] = {
    (): [],
    (b"Content-Length: 5",): [b"5"],
    (b"Content-Length: 0",): [b"0"],
    (b"Content-Length: 9223372036854775807",): [b"9223372036854775807"],
    (b"Transfer-Encoding: chunked",): [],
}


@pytest.mark.parametrize("line", [b"HTTP/1.1 200 OK", b"HTTP/1.1 404 x", b"HTTP/1.1 500 x"])
def test_head(mesh: HttpMesh, line: bytes) -> None:
    """It says how long a GET's answer would be, and has no body.

    A connection that stated one is not used again: some servers send the body all the same, a moment later.
    """
    stating = sum(expected not in ([], [b"0"]) for expected in LENGTHS.values())
    with mesh.client() as client:
        for fields, expected in LENGTHS.items():
            mesh.origin.on(b"/", response(*fields, line=line))
            for _ in range(3):
                found = client.exchange(HEAD, b"HEAD")
                assert (found.body, found.start[0]) == (b"", line[9:12])
                assert found.values(b"Content-Length") == expected
                assert found.values(b"Connection") == []
        assert client.exchange(get(b"/next")).body == b"GET /next\n"
    mesh.finish()
    assert len(mesh.origin.connections) == 3 * stating + 1


@pytest.mark.parametrize("line", [b"HTTP/1.1 204 No Content", b"HTTP/1.1 304 Not Modified"])
def test_no_content(mesh: HttpMesh, line: bytes) -> None:
    """No length, no body."""
    mesh.origin.on(b"/", response(b'ETag: "x"', line=line))
    with mesh.client() as client:
        for method in (b"GET", b"HEAD", b"POST", b"DELETE") * 2:
            found = client.exchange(request(line=method + b" / HTTP/1.1"), method)
            assert (found.body, found.start[0], found.fields) == (b"", line[9:12], [(b"ETag", b'"x"')])
        assert client.exchange(get(b"/next")).body == b"GET /next\n"
    mesh.finish()
    assert len(mesh.origin.connections) == 1


def test_304_with_a_length(mesh: HttpMesh) -> None:
    """It is the length of what was not modified."""
    mesh.origin.on(b"/", response(b"Content-Length: 12345", line=b"HTTP/1.1 304 Not Modified"))
    with mesh.client() as client:
        assert client.exchange(get(b"/")).values(b"Content-Length") == [b"12345"]
        assert client.exchange(get(b"/next")).body == b"GET /next\n"


def test_204_with_a_length_of_0(mesh: HttpMesh) -> None:
    """Harmless, and not passed on (RFC 9110, section 8.6)."""
    mesh.origin.on(b"/", response(b"Content-Length: 0", line=b"HTTP/1.1 204 No Content"))
    with mesh.client() as client:
        assert client.exchange(get(b"/")).fields == []
        assert client.exchange(get(b"/next")).body == b"GET /next\n"


def test_methods_with_and_without_bodies(mesh: HttpMesh) -> None:
    """A body may come with any; where none is said to come there is none."""
    methods = [b"GET", b"DELETE", b"OPTIONS", b"M-SEARCH", b"UNHEARD-OF", b"TRACE"]
    with mesh.client() as client:
        for method in methods:
            line = method + b" / HTTP/1.1"
            assert client.exchange(request(line=line)).body == method + b" /\n"
            with_body = request(b"Content-Length: 5", line=line) + b"hello"
            assert client.exchange(with_body).body == method + b" /\nhello"
            assert client.exchange(request(b"Content-Length: 0", line=line)).body == method + b" /\n"
    assert [each.body for each in mesh.finish()] == [b"", b"hello", b""] * len(methods)


@pytest.mark.parametrize("method", [b"HEAD", b"GET"])
def test_old_clients(mesh: HttpMesh, method: bytes) -> None:
    """HEAD in 1.0 gets no body until the end of the connection either."""
    mesh.origin.on(b"/", response(b"Content-Length: 5") + (b"hello" if method == b"GET" else b""))
    with mesh.client() as client:
        found = client.exchange(request(line=method + b" / HTTP/1.0"), method)
        assert found.values(b"Content-Length") == [b"5"]
        client.expect_closed()
