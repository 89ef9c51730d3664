"""Responses that end early are passed on as errors, never completed."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.support.http_client import Incomplete
from tests.support.http_mesh import HttpMesh, complaints, failed
from tests.support.http_messages import get, ok, ok_chunked, post, request, response
from tests.support.http_origin import Gate, Move

RESPONSES = {
    "length": ok(b"hello", b"X: y"),
    "chunked": ok_chunked(b"5;a=b\r\nhello\r\n3\r\nabc\r\n0\r\nX-Sum: y\r\n\r\n"),
    "interim": response(line=b"HTTP/1.1 103 Early Hints") + ok(b"hello"),
}
OLD = b"GET %s HTTP/1.0"


def cuts(mesh: HttpMesh, data: bytes, move: Move, old: bool) -> Iterator[tuple[str, str | None]]:
    """Cut the response at every byte."""
    for size in range(len(data)):
        target = b"/cut/%d" % size
        mesh.origin.on(target, data[:size], move)
        with mesh.client() as client:
            client.send(request(line=OLD % target) if old else get(target))
            yield f"{size} of {data!r}", failed(client)
        assert mesh.exchange(get(b"/next")).body == b"GET /next\n"


@pytest.mark.parametrize("move", [Move.CLOSE, Move.RESET, Move.END], ids=["close", "reset", "half-close"])
@pytest.mark.parametrize("message", RESPONSES)
def test_cut_at_every_byte(mesh: HttpMesh, message: str, move: Move) -> None:
    """However the origin goes."""
    assert complaints(cuts(mesh, RESPONSES[message], move, old=False)) == []


@pytest.mark.parametrize("message", RESPONSES)
def test_cut_on_the_way_to_1_0(mesh: HttpMesh, message: str) -> None:
    """A client of 1.0 knows the end of a body by the end of the connection, which then must be a reset."""
    assert complaints(cuts(mesh, RESPONSES[message], Move.CLOSE, old=True)) == []


def test_a_body_until_the_end_and_a_reset(mesh: HttpMesh) -> None:
    """What would have gone on until the end is not complete when that is a reset."""
    gate = Gate()
    mesh.origin.on(b"/reset", response(b"X: y") + b"hello", gate, Move.RESET)
    for index, data in enumerate((get(b"/reset"), request(line=OLD % b"/reset"))):
        with mesh.client() as client:
            client.send(data)
            assert client.received(15) == b"HTTP/1.1 200 OK", index
            gate.open()
            assert not client.until_end().endswith(b"0\r\n\r\n")
            assert client.ended == "reset"


def test_a_body_until_the_end(mesh: HttpMesh) -> None:
    """With an orderly end it is complete, and the next request goes elsewhere."""
    mesh.origin.on(b"/whole", response(b"X: y") + b"hello", Move.CLOSE)
    for data in (get(b"/whole"), request(line=OLD % b"/whole")):
        with mesh.client() as client:
            assert client.exchange(data).body == b"hello"
    assert mesh.exchange(get(b"/next")).body == b"GET /next\n"


def test_a_large_body_cut(mesh: HttpMesh) -> None:
    """Bodies of many buffers, too."""
    body = bytes(range(256)) * 8192
    for index, data in enumerate((ok(body)[:-1], ok_chunked(b"%x\r\n" % len(body) + body + b"\r\n0\r\n\r"))):
        mesh.origin.on(b"/large/%d" % index, data, Move.CLOSE)
        with mesh.client() as client:
            client.send(get(b"/large/%d" % index))
            with pytest.raises(Incomplete):
                client.response()


def test_no_answer_at_all(mesh: HttpMesh) -> None:
    """A request that is not safe to repeat is sent once; whoever gets nothing back says so."""
    for move in (Move.CLOSE, Move.RESET):
        target = b"/" + move.name.encode()
        mesh.origin.on(target, move)
        assert mesh.exchange(post(b"hello", target=target)).status in (502, 503)
        assert sum(each.target == target for each in mesh.origin.requests) == 1
    assert mesh.exchange(get(b"/next")).body == b"GET /next\n"
