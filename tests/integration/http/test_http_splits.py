"""Wherever a message is cut, the same comes of it: good ones and bad ones, requests and responses, at every byte."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.support import http_bad_requests, http_bad_responses
from tests.support.http_bad_requests import Bad
from tests.support.http_bad_responses import EVIL
from tests.support.http_client import HttpClient
from tests.support.http_mesh import HttpMesh, complaints, failed, kept_fields, refused
from tests.support.http_messages import every_cut, get, ok, ok_chunked, post, post_chunked, request, response

AT_ONCE = 100
"""Connections at one time: each takes four descriptors."""

LONGEST = 300
"""Bytes of messages that are cut everywhere."""

CHUNKS = b'5;a="\\"b"\r\nhello\r\n006\r\n world\r\n0;c\r\nX-Sum: y\r\n\r\n'
REQUESTS = [
    get(b"/a?b", b"X-A: b", b"x-c:  d\t"), post(b"hello", b"Cookie: a"), post_chunked(CHUNKS, b"X: y"),
    b"\r\n" + get(b"/"),
    request(line=b"OPTIONS http://b HTTP/1.1"), request(b"Connection: keep-alive, X", b"X: y",
    line=b"PUT /%61/../b HTTP/1.0"),
]  # fmt: skip
RESPONSES = [
    ok(b"hello", b"X-A: b", b"x-c:  d\t"), ok_chunked(CHUNKS, b"X: y"), ok(b""),
    response(line=b"HTTP/1.1 204 No Content"),
    response(b"Link: </a>", line=b"HTTP/1.1 103 Early Hints") + ok(b"hello"),
    response(b"Connection: keep-alive, X", b"X: y", b"Content-Length: 1", line=b"HTTP/1.0 404 Not Found") + b"x",
]  # fmt: skip
HEADS = [each for each in [*http_bad_requests.SHORT, *http_bad_requests.CONTROLS] if len(each.data) < LONGEST]
CHUNKED = [each for each in http_bad_requests.CHUNKS if len(each.data) < LONGEST]
BAD_RESPONSES = [
    each for each in http_bad_responses.HEADS[::47] + http_bad_responses.BODIES[::17] if len(each.data) < LONGEST
]  # fmt: skip


def catch_up(mesh: HttpMesh, clients: int) -> None:
    """Have the proxy take so many new connections, and read what was sent on them."""
    for _ in range(clients // 16 + 2):
        mesh.fence()


def send_cut(mesh: HttpMesh, data: bytes) -> Iterator[tuple[str, HttpClient]]:
    """Send it cut in two at every byte, each on a connection of its own."""
    cuts = list(enumerate(every_cut(data), 1))
    for begin in range(0, len(cuts), AT_ONCE):
        clients = [mesh.client() for _ in cuts[begin : begin + AT_ONCE]]
        for client, (_, (first, _)) in zip(clients, cuts[begin:], strict=False):
            client.send(first)
        catch_up(mesh, len(clients))
        for client, (_, (_, second)) in zip(clients, cuts[begin:], strict=False):
            client.send(second)
        for client, (cut, _) in zip(clients, cuts[begin:], strict=False):
            with client:
                yield f"{cut} of {data!r}", client


def send_by_bytes(mesh: HttpMesh, messages: list[bytes]) -> list[HttpClient]:
    """Send each byte by byte, on connections of their own; the proxy reads each byte by itself."""
    clients = [mesh.client() for _ in messages]
    catch_up(mesh, len(clients))
    for at in range(max(map(len, messages))):
        for client, data in zip(clients, messages, strict=True):
            client.send(data[at : at + 1])
        mesh.fence()
    return clients


def same(requests: list[bytes], mesh: HttpMesh) -> None:
    """All that came of these has come in one spelling each."""
    found = {(*each.start, tuple(kept_fields(each)), each.body, tuple(each.trailers)) for each in mesh.finish()}
    assert len(found) == len(requests), found


def test_good_requests_cut_in_two(mesh: HttpMesh) -> None:
    """The origin gets the same, and the client its answer."""
    for data in REQUESTS:
        bodies = {client.response().body for _, client in send_cut(mesh, data)}
        assert len(bodies) == 1, (data, bodies)
    same(REQUESTS, mesh)


def test_good_requests_byte_by_byte(mesh: HttpMesh) -> None:
    """So too."""
    for client in send_by_bytes(mesh, REQUESTS * 2):
        with client:
            assert client.response().status == 200
    same(REQUESTS, mesh)


def test_bad_requests_cut_in_two(mesh: HttpMesh) -> None:
    """They are refused for the same reason, and nothing gets to the origin."""
    for each in HEADS[::20]:
        assert complaints((name, refused(client, each.status)) for name, client in send_cut(mesh, each.data)) == []
    assert mesh.targets() == []
    assert mesh.origin.connections == []


def test_bad_bodies_cut_in_two(mesh: HttpMesh) -> None:
    """No end of them gets to the origin."""
    for each in CHUNKED[::13]:
        assert complaints((name, refused(client, each.status)) for name, client in send_cut(mesh, each.data)) == []
    assert mesh.targets() == []


def refusals_by_bytes(mesh: HttpMesh, found: list[Bad]) -> Iterator[tuple[str, str | None]]:
    """Send each byte by byte; how they are refused."""
    for each, client in zip(found, send_by_bytes(mesh, [each.data for each in found]), strict=True):
        with client:
            yield each.name, refused(client, each.status)


@pytest.mark.parametrize("part", range(5))
def test_bad_requests_byte_by_byte(mesh: HttpMesh, part: int) -> None:
    """Every one of them."""
    assert complaints(refusals_by_bytes(mesh, HEADS[part::5])) == []
    assert mesh.targets() == []
    assert mesh.origin.connections == []


def test_bad_bodies_byte_by_byte(mesh: HttpMesh) -> None:
    """Every one of them; their requests are under way."""
    assert complaints(refusals_by_bytes(mesh, CHUNKED)) == []
    assert mesh.targets() == []


def answer_in_two(mesh: HttpMesh, data: bytes) -> Iterator[tuple[str, bytes]]:
    """Targets that are answered by it, cut at every byte; the proxy reads each part by itself."""
    for cut, (first, second) in enumerate(every_cut(data), 1):
        target = b"/cut/%d" % cut
        mesh.origin.on(target, first, mesh.fence, second)
        yield f"{cut} of {data!r}", target


def answer_by_bytes(mesh: HttpMesh, data: bytes) -> None:
    """So too, byte by byte."""
    mesh.origin.on(b"/bytes", *(step for byte in data for step in (bytes([byte]), mesh.fence)))


def test_good_responses_cut(mesh: HttpMesh) -> None:
    """The client gets the same."""
    client = mesh.client()
    for data in RESPONSES:
        mesh.origin.on(b"/whole", data)
        expected = client.exchange(get(b"/whole"))
        answer_by_bytes(mesh, data)
        found = client.exchange(get(b"/bytes"))
        assert (found.start, found.fields, found.body, found.trailers) == (
            expected.start, expected.fields, expected.body, expected.trailers)  # fmt: skip
        for name, target in answer_in_two(mesh, data):
            found = client.exchange(get(target))
            assert (found.start, found.fields, found.body, found.trailers) == (
                expected.start, expected.fields, expected.body, expected.trailers), name  # fmt: skip
    mesh.finish()
    assert len(mesh.origin.connections) == 1


def outcome(mesh: HttpMesh, target: bytes) -> str | None:
    """What is wrong with how a bad response ends, for its client or for the next."""
    with mesh.client() as client:
        client.send(get(target))
        said = failed(client)
    found = mesh.exchange(get(b"/victim"))
    return said or (None if found.body == b"GET /victim\n" else f"the victim gets {found}")


def test_bad_responses_cut_in_two(mesh: HttpMesh) -> None:
    """The client gets an error, the victim its answer."""
    for each in BAD_RESPONSES:
        assert complaints((name, outcome(mesh, target)) for name, target in answer_in_two(mesh, each.data)) == []


def test_bad_responses_byte_by_byte(mesh: HttpMesh) -> None:
    """So too."""
    for each in BAD_RESPONSES:
        answer_by_bytes(mesh, each.data)
        assert outcome(mesh, b"/bytes") is None, each


def test_left_over_bytes_at_every_cut(mesh: HttpMesh) -> None:
    """A response and another behind it: the first arrives, the second nowhere."""
    for name, target in answer_in_two(mesh, ok(b"hello") + EVIL):
        assert mesh.exchange(get(target)).body == b"hello", name
        spoilt = mesh.origin.connection_of(target)
        mesh.origin.wait(lambda spoilt=spoilt: spoilt.ended, "the connection with left-over bytes is closed")
        assert mesh.exchange(get(b"/victim")).body == b"GET /victim\n", name
