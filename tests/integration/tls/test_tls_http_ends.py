"""HTTP over TLS whose connections end: with the last bytes of a body, behind an answer, without a word."""

from __future__ import annotations

import contextlib
import ssl
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from tests.integration.tls.conftest import Pki
from tests.support.configs import cluster, config, listener
from tests.support.peer import Origin, Peer, connect
from tests.support.running_proxy import RunningProxy
from tests.support.tls_peer import TlsPeer, client_context, server_context, tls_accept, tls_connect

Settings = dict[str, Any]
Start = Callable[[Settings], RunningProxy]

GET = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


def to_tls(start: Start, origin: Origin, pki: Pki, folder: Path) -> RunningProxy:
    """A proxy that speaks TLS with the origin."""
    settings = config(
        [listener(protocol="http")], [cluster([origin.address], tls=pki.cluster())], folder, access_log=None
    )
    return start(settings)


def of_tls(start: Start, origin: Origin, pki: Pki, folder: Path) -> tuple[RunningProxy, TlsPeer]:
    """A proxy that clients speak TLS with, and one of them."""
    settings = config(
        [listener(protocol="http", tls=pki.one_way())], [cluster([origin.address])], folder, access_log=None
    )
    proxy = start(settings)
    return proxy, tls_connect(proxy.address(), client_context(pki.trusted_ca), "proxy.mesh.local")


def accept(origin: Origin, pki: Pki) -> TlsPeer:
    """The proxy's next connection to the origin."""
    return tls_accept(origin, server_context(pki.peer))


def until(peer: Peer, end: bytes) -> bytes:
    """What comes up to these bytes."""
    data = b""
    while not data.endswith(end):
        data += peer.receive(1)
    return data


def test_a_body_ends_with_its_connection_while_the_reader_is_slow(
    start: Start, origin: Origin, pki: Pki, tmp_path: Path
) -> None:
    """close_notify comes with the last bytes, when the downstream takes no more: the end is not forgotten."""
    proxy = to_tls(start, origin, pki, tmp_path)
    body, last = b"b" * 4_000_000, b"e" * 4096
    with connect(proxy.address(), 4096) as client, ThreadPoolExecutor(1) as thread:
        client.send(GET)
        with accept(origin, pki) as server:
            until(server, b"\r\n\r\n")
            server.send(b"HTTP/1.1 200 OK\r\n\r\n")
            # More than the proxy takes while its client reads nothing: the end waits behind it.
            sending = thread.submit(lambda: (server.send(body), server.tls.send_and_end(last)))
            data = bytearray()
            while not data.endswith(b"\r\n0\r\n\r\n"):
                data += client.socket.recv(65536)
            sending.result()
    assert data.count(b"b") >= len(body)


def test_an_answer_with_the_end_of_its_connection(start: Start, origin: Origin, pki: Pki, tmp_path: Path) -> None:
    """Nobody else is given that connection."""
    proxy = to_tls(start, origin, pki, tmp_path)
    with proxy.connect() as client:
        for _ in range(3):
            client.send(GET)
            with accept(origin, pki) as server:
                until(server, b"\r\n\r\n")
                server.tls.send_and_end(OK)
                server.cut()
                assert until(client, b"\r\n\r\nok").startswith(b"HTTP/1.1 200 ")


def test_a_client_that_ends_without_a_word_between_requests(
    start: Start, origin: Origin, pki: Pki, tmp_path: Path
) -> None:
    """It is counted, and is no reason for a reset."""
    proxy, client = of_tls(start, origin, pki, tmp_path)
    with client:
        client.send(GET)
        with origin.accept() as server:
            until(server, b"\r\n\r\n")
            server.send(OK)
            until(client, b"\r\n\r\nok")
            client.cut()
            client.expect_end()
    proxy.wait_for_stat(1, "ssl.truncated", "listener", "in")
    assert proxy.stats("listener", "in")["downstream_cx_reset"] == 0


def test_a_client_that_ends_without_a_word_behind_its_request(
    start: Start, origin: Origin, pki: Pki, tmp_path: Path
) -> None:
    """All of the answer comes."""
    body = b"b" * 300_000
    _proxy, client = of_tls(start, origin, pki, tmp_path)
    with client:
        client.send(GET)
        client.cut()
        with origin.accept() as server:
            until(server, b"\r\n\r\n")
            server.send(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(body) + body)
            with contextlib.suppress(ssl.SSLZeroReturnError):
                assert client.receive_all().endswith(b"\r\n\r\n" + body)
