"""CONNECT through a route that allows it, to a proxy of Node's, to an echo."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from http.client import HTTPConnection
from urllib.parse import urlsplit

import pytest

from tests.support.process_traffic import echo_origin
from tests.support.real_http.clients import curl
from tests.support.real_http.content import pattern, sha256
from tests.support.waiting import LIMIT_S


def test_a_tunnel_to_an_echo(through: Callable) -> None:
    mesh = through("node", upgrades=("connect",))
    content = pattern(500_000)
    with echo_origin() as echo, closing(HTTPConnection(urlsplit(mesh.url).netloc, timeout=LIMIT_S)) as over:
        host, _, port = echo.rpartition(":")
        over.set_tunnel(host, int(port))
        over.connect()
        for at in range(0, len(content), 50_000):
            over.sock.sendall(content[at : at + 50_000])
            received = bytearray()
            while len(received) < 50_000:
                received += over.sock.recv(65536)
            assert received == content[at : at + 50_000]
    assert mesh.proxy.stats("listener", "in")["downstream_cx_upgrades_total"] == 1


def test_http_within_a_tunnel(through: Callable, started: Callable) -> None:
    mesh, inner = through("node", upgrades=("connect",)), started("uvicorn")
    arguments = ("--proxytunnel", "--proxy", mesh.url, "--noproxy", "")
    answer = curl(*arguments, f"http://{inner}/pattern?size=300000")
    assert sha256(answer) == sha256(pattern(300_000))


def test_a_route_that_does_not_allow_it_refuses(through: Callable, started: Callable) -> None:
    mesh, inner = through("node"), started("uvicorn")
    with closing(HTTPConnection(urlsplit(mesh.url).netloc, timeout=LIMIT_S)) as over:
        host, _, port = inner.rpartition(":")
        over.set_tunnel(host, int(port))
        with pytest.raises(OSError, match="Tunnel connection failed: 4"):
            over.connect()
    assert mesh.proxy.stats("cluster", "app")["upstream_rq_total"] == 0
