"""Faults in bodies: the origin never sees the end of such a request, and its connection is not used again."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.support.http_bad_requests import CHUNKS, EVIL
from tests.support.http_mesh import HttpMesh, complaints, refused
from tests.support.http_messages import get, post_chunked


def at_once(mesh: HttpMesh) -> Iterator[tuple[str, str | None]]:
    """Send head and body together."""
    for each in CHUNKS:
        with mesh.client() as client:
            client.send(each.data)
            yield each.name, refused(client, each.status)


def under_way(mesh: HttpMesh) -> Iterator[tuple[str, str | None]]:
    """Send the body once the origin has the head, on a connection that others have used before."""
    for each in CHUNKS:
        head, end, body = each.data.partition(b"\r\n\r\n")
        used = len(mesh.origin.connections)
        with mesh.client() as client:
            client.send(head + end)
            mesh.origin.wait(lambda: any(one.unfinished for one in mesh.origin.connections), "the head")
            (record,) = (one for one in mesh.origin.connections if one.unfinished and one.ended is None)
            client.send(body)
            yield each.name, refused(client, each.status)
            mesh.origin.wait(lambda record=record: record.ended, "the request is cut")
            record.unfinished = False
        assert mesh.exchange(get(b"/marker/%d" % used)).status == 200


def test_refused_at_once(mesh: HttpMesh) -> None:
    """What comes behind the head at once."""
    assert complaints(at_once(mesh)) == []
    assert mesh.exchange(get(b"/marker")).status == 200
    assert mesh.targets() == [b"/marker"]


def test_refused_under_way(mesh: HttpMesh) -> None:
    """What comes when the origin has begun to read."""
    assert mesh.exchange(get(b"/marker/first")).status == 200
    assert complaints(under_way(mesh)) == []
    assert all(target.startswith(b"/marker/") for target in mesh.targets())
    for record in mesh.origin.connections:
        assert not record.received.endswith(b"0\r\n\r\n")
        assert EVIL not in record.received


@pytest.mark.parametrize("when", ["before", "behind"])
def test_a_fault_when_the_answer_has_begun(mesh: HttpMesh, when: str) -> None:
    """The origin has answered, in part or in full, what it then does not get the end of."""
    answer = b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhello"
    mesh.origin.on(b"/early", answer if when == "before" else answer + b"world", when="head")
    with mesh.client() as client:
        client.send(post_chunked(b"5\r\nhello\r\n", target=b"/early"))
        assert client.received(15) == b"HTTP/1.1 200 OK"
        client.send(b"5\r\nhelloX\r\n0\r\n\r\n" + EVIL)
        rest = client.until_end()
        assert rest.count(b"HTTP/1.1") <= 1
        if when == "before":
            assert not rest.endswith(b"world")
    assert mesh.exchange(get(b"/marker")).status == 200
    assert mesh.targets() == [b"/marker"]
