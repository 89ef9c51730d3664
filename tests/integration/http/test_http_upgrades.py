"""Upgrade and CONNECT: bytes behind such a request are no HTTP unless it was turned down, and then they are refused."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.support.http_client import Incomplete
from tests.support.http_mesh import HttpMesh, kept_fields
from tests.support.http_messages import get, ok, request, response, smuggled
from tests.support.http_origin import Move

ASKS = (b"Connection: keep-alive, Upgrade", b"Upgrade: websocket", b"Sec-WebSocket-Key: x")
ASKING = request(*ASKS, line=b"GET /upgrade HTTP/1.1")
GRANTED = response(b"Connection: upgrade", b"Upgrade: websocket", line=b"HTTP/1.1 101 Switching Protocols")
ROUTES = [{"name": "all", "cluster": "app", "upgrades": ["websocket"]}]


def nothing_behind(mesh: HttpMesh, data: bytes) -> None:
    """The request may be answered; what is behind it is refused, and gets to nobody."""
    with mesh.client() as client:
        client.send(data + smuggled())
        statuses = []
        try:
            while client.ended is None:
                statuses.append(client.response(upgrades=True).status)
        except Incomplete as incomplete:
            assert incomplete.raw == b""
        assert statuses in ([200], [200, 400], [400])
    assert mesh.exchange(get(b"/marker")).status == 200
    assert b"/smuggled" not in mesh.targets()
    assert smuggled() not in b"".join(bytes(each.received) for each in mesh.origin.connections)


def test_not_configured(mesh: HttpMesh) -> None:
    """The origin does not learn of the wish."""
    with mesh.client() as client:
        assert client.exchange(ASKING).body == b"GET /upgrade\n"
    (found,) = mesh.finish()
    assert kept_fields(found) == [(b"Host", b"a"), (b"Sec-WebSocket-Key", b"x")]


def test_bytes_behind_what_is_not_configured(mesh: HttpMesh) -> None:
    """They may be meant for the other protocol."""
    nothing_behind(mesh, ASKING)


def test_bytes_behind_what_is_not_granted(mesh_with: Callable[..., HttpMesh]) -> None:
    """The origin answers as if it had not been asked."""
    nothing_behind(mesh_with(routes=ROUTES), ASKING)


def test_bytes_behind_what_the_proxy_answers_itself(mesh_with: Callable[..., HttpMesh]) -> None:
    """So it is when the origin is not even asked."""
    direct = {"name": "direct", "matches": [{"path": {"prefix": "/upgrade"}}], "direct_response": {"status": 200}}
    nothing_behind(mesh_with(routes=[direct, *ROUTES]), ASKING)


def test_granted(mesh_with: Callable[..., HttpMesh]) -> None:
    """Both ends get every byte from then on, also those sent together with the heads."""
    mesh = mesh_with(routes=ROUTES)
    mesh.origin.on(b"/upgrade", GRANTED + b"server first", Move.TUNNEL)
    with mesh.client() as client:
        client.send(ASKING)
        found = client.response(upgrades=True)
        assert found.status == 101
        assert found.values(b"Upgrade") == [b"websocket"]
        assert client.received(12) == b"server first"
        client.send(smuggled(), b"\0\xff")
        record = mesh.origin.connection_of(b"/upgrade")
        mesh.origin.wait(lambda: record.tunnel == smuggled() + b"\0\xff", "the tunnel's bytes")
        client.peer.end()
        mesh.origin.wait(lambda: record.ended, "the end")
    assert mesh.exchange(get(b"/next")).body == b"GET /next\n"
    assert mesh.targets() == [b"/upgrade", b"/next"]


@pytest.mark.parametrize("answer", [
    response(b"Connection: upgrade", b"Upgrade: other", line=b"HTTP/1.1 101 x"), response(line=b"HTTP/1.1 101 x"),
    response(b"Connection: upgrade", b"Upgrade: websocket, other", line=b"HTTP/1.1 101 x"),
    response(b"Upgrade: websocket", line=b"HTTP/1.1 101 x"), response(b"Connection: upgrade", line=b"HTTP/1.1 101 x"),
    response(b"Connection: upgrade", b"Upgrade: websocket", b"Content-Length: 5", line=b"HTTP/1.1 101 x") + b"hello",
    response(b"Connection: upgrade", b"Upgrade: websocket", line=b"HTTP/1.0 101 x"),
])  # fmt: skip
def test_what_was_not_asked_for(mesh_with: Callable[..., HttpMesh], answer: bytes) -> None:
    """An upstream cannot switch to another protocol than was asked for, nor by half."""
    mesh = mesh_with(routes=ROUTES)
    mesh.origin.on(b"/upgrade", answer + ok(b"evil"))
    with mesh.client() as client:
        client.send(ASKING)
        assert client.response(upgrades=True).status == 502
    assert mesh.exchange(get(b"/victim")).body == b"GET /victim\n"
    assert [each.target for each in mesh.origin.connection_of(b"/upgrade").requests] == [b"/upgrade"]


def test_another_protocol_than_configured(mesh_with: Callable[..., HttpMesh]) -> None:
    """It is not asked for."""
    mesh = mesh_with(routes=ROUTES)
    for upgrade in (b"h2c", b"TLS/1.0", b"h2c, TLS/1.0"):
        fields = (b"Connection: Upgrade, HTTP2-Settings", b"Upgrade: " + upgrade, b"HTTP2-Settings: x")
        assert mesh.exchange(request(*fields)).status == 200
    for found in mesh.finish():
        assert kept_fields(found) == [(b"Host", b"a")]


def test_connect(mesh: HttpMesh) -> None:
    """Without configuration nobody gets a tunnel, and what follows is not read."""
    with mesh.client() as client:
        client.send(request(line=b"CONNECT b:443 HTTP/1.1", host=b"Host: b:443") + smuggled())
        assert client.response(b"CONNECT").status in (400, 403, 404, 405, 501)
        client.expect_closed()
    assert mesh.exchange(get(b"/marker")).status == 200
    assert mesh.targets() == [b"/marker"]
