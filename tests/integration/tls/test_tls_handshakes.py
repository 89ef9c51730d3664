"""Handshakes that do not go as they should: cut, stalled, garbled; and those that go in odd ways, and must work."""

from __future__ import annotations

import contextlib
import random
import socket
import ssl
from collections.abc import Callable, Iterator

import pytest

from tests.integration.tls.conftest import ONCE, Pki
from tests.support.peer import Origin, Peer, connect
from tests.support.running_proxy import RunningProxy
from tests.support.tls_peer import client_context, server_context, tls_accept, tls_connect
from tests.support.tls_wire import Wire
from tests.support.waiting import wait_until

Serve = Callable[..., RunningProxy]

# Every byte of what is sent in the clear; behind it records look all alike.
STEP = 13
VERSIONS = pytest.mark.parametrize(
    "version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3], ids=lambda each: each.name
)


def cuts(first: int, total: int) -> Iterator[int]:
    yield from range(first)
    # Signatures differ in length by a few bytes, and one byte must be missing.
    yield from range(first, total - 16, STEP)


class HalfClient:
    """A client that says only the first `count` bytes of its handshake."""

    def __init__(self, address: str, context: ssl.SSLContext, count: int) -> None:
        self.peer = connect(address)
        self.said = 0
        wire = Wire(self.peer.socket, context)
        while self.said < count:
            flight = wire.flight()
            self.first = len(flight) if self.said == 0 else self.first
            piece = flight[: count - self.said]
            assert piece, "its handshake is shorter"
            self.peer.send(piece)
            self.said += len(piece)
            if len(piece) == len(flight) and self.said < count:
                assert wire.hear()


def handshake_sizes(proxy: RunningProxy, context: ssl.SSLContext) -> tuple[int, int]:
    """Bytes of a client's first flight, and of all its flights."""
    with connect(proxy.address()) as peer:
        wire = Wire(peer.socket, context)
        first = total = 0
        while flight := wire.flight():
            first = first or len(flight)
            total += len(flight)
            peer.send(flight)
            with contextlib.suppress(ssl.SSLWantReadError):
                wire.ssl.do_handshake()
                break
            assert wire.hear()
    proxy.wait_for_connections(0)
    return first, total


@VERSIONS
def test_clients_that_go(serve: Serve, origin: Origin, pki: Pki, version: ssl.TLSVersion) -> None:
    proxy = serve(origin.address, listener={"tls": pki.listener()})
    context = client_context(pki.trusted_ca, pki.peer, version=version)
    first, total = handshake_sizes(proxy, context)
    with origin.accept() as server:
        server.receive_what_comes()
    count = 0
    for said in cuts(first, total):
        HalfClient(proxy.address(), context, said).peer.close()
        count += 1
    proxy.wait_for_connections(0)
    assert count > first
    stats = proxy.stats("listener", "in")
    assert (stats["ssl.handshake"], stats["ssl.handshake_cut"]) == (1, count)
    origin.expect_nobody()
    reasons = {each["connection_termination_details"] for each in proxy.records(count + 1)[1:]}
    assert reasons == {"tls_handshake_cut"}


@VERSIONS
def test_clients_that_stall(serve: Serve, origin: Origin, pki: Pki, version: ssl.TLSVersion) -> None:
    """They are cut after their time, and others do not wait for them."""
    proxy = serve(origin.address, listener={"tls": pki.listener(handshake_timeout_ms=2000)})
    context = client_context(pki.trusted_ca, pki.peer, version=version)
    first, total = handshake_sizes(proxy, context)
    with origin.accept() as server:
        server.receive_what_comes()
    with contextlib.ExitStack() as open_clients:
        stalled = [
            open_clients.enter_context(HalfClient(proxy.address(), context, said).peer)
            for said in range(0, total - 16, total // 25)
        ]
        with tls_connect(proxy.address(), context) as client, origin.accept() as server:
            client.send(b"not delayed")
            assert server.receive(11) == b"not delayed"
            assert proxy.stats("listener", "in")["ssl.handshake_timeout"] == 0
        for each in stalled:
            each.receive_until_reset()
    assert proxy.stats("listener", "in")["ssl.handshake_timeout"] == len(stalled)
    assert first
    origin.expect_nobody()


@VERSIONS
def test_a_client_byte_by_byte(serve: Serve, origin: Origin, pki: Pki, version: ssl.TLSVersion) -> None:
    proxy = serve(origin.address, listener={"tls": pki.listener()})
    context = client_context(pki.trusted_ca, pki.peer, version=version)
    with connect(proxy.address()) as peer:
        wire = Wire(peer.socket, context)
        last = wire.complete()
        for byte in last + wire.data(b"question", end=True) if version is ssl.TLSVersion.TLSv1_3 else last:
            peer.send(bytes([byte]))
        if version is ssl.TLSVersion.TLSv1_2:
            while wire.flight() or not wire.ssl.version():
                assert wire.hear()
            wait_until(lambda: _finished(wire), "the handshake is complete")
            for byte in wire.data(b"question", end=True):
                peer.send(bytes([byte]))
        with origin.accept() as server:
            assert server.receive_all() == b"question"


def _finished(wire: Wire) -> bool:
    with contextlib.suppress(ssl.SSLWantReadError):
        wire.ssl.do_handshake()
        return True
    return not wire.hear()


@pytest.mark.parametrize("fin", [True, False])
def test_everything_at_once(serve: Serve, origin: Origin, pki: Pki, fin: bool) -> None:
    """Finished, data and close_notify in one packet, and perhaps the end of the connection behind it."""
    proxy = serve(origin.address, listener={"tls": pki.listener()})
    context = client_context(pki.trusted_ca, pki.peer, version=ssl.TLSVersion.TLSv1_3)
    with connect(proxy.address()) as peer:
        wire = Wire(peer.socket, context)
        peer.send(wire.complete() + wire.data(b"question" * 1000, end=True))
        if fin:
            peer.end()
        with origin.accept() as server:
            assert server.receive_all() == b"question" * 1000
            server.end()
        # Tickets have come: to close without having read them would be a reset.
        peer.receive_all()
    assert proxy.record()["response_flags"] == "-"


def test_everything_at_once_from_a_server(serve: Serve, origin: Origin, pki: Pki) -> None:
    """A server of TLS 1.3 may speak before it has heard the client's Finished."""
    proxy = serve(origin.address, cluster={"tls": pki.cluster()})
    context = server_context(pki.peer, version=ssl.TLSVersion.TLSv1_3)
    with proxy.connect() as client, origin.accept() as peer:
        wire = Wire(peer.socket, context, server=True)
        wire.hear()
        said = wire.flight()
        peer.send(said)
        while not _finished(wire):
            pass
        peer.send(wire.data(b"greeting" * 1000, end=True))
        peer.end()
        assert client.receive_all() == b"greeting" * 1000


def test_what_is_no_client_hello(serve: Serve, origin: Origin, pki: Pki) -> None:
    proxy = serve(origin.address, listener={"tls": pki.listener()})
    said = [
        b"GET / HTTP/1.1\r\nHost: proxy.mesh.local\r\n\r\n",
        b"SSH-2.0-OpenSSH_9.0\r\n",
        bytes(5),
        b"\x16\x03\x01\x00\x00" * 40,
        b"\x16\x03\x01\x40\x01\x01\x00\x3f\xfd" + bytes(16376),
        b"\x16\x03\x01\x00\x04\x01\xff\xff\xff" + bytes(60000),
        b"\x80\x2e\x01\x03\x01\x00\x15\x00\x00\x00\x10" + bytes(37),
        b"\x15\x03\x01\x00\x02\x02\x28",
        b"\x17\x03\x03\x00\x20" + bytes(32),
        b"\x14\x03\x03\x00\x01\x01",
    ]
    said += [random.Random(seed).randbytes(300) for seed in range(30)]
    for each in said:
        with connect(proxy.address()) as peer:
            with contextlib.suppress(ConnectionError):
                peer.send(each)
                peer.end()
            peer.receive_what_comes()
    proxy.wait_for_connections(0)
    stats = proxy.stats("listener", "in")
    assert stats["ssl.connection_error"] + stats["ssl.handshake_cut"] == len(said)
    assert stats["ssl.connection_error"] >= 8
    assert stats["ssl.handshake"] == 0
    origin.expect_nobody()


def test_servers_that_go(serve: Serve, origin: Origin, pki: Pki) -> None:
    """At every byte of ServerHello, and every so often behind it: the client sees a reset, never an end."""
    proxy = serve(origin.address, cluster={"tls": pki.cluster(), **ONCE})
    context = server_context(pki.peer, pki.trusted_ca)
    sizes = []
    with proxy.connect() as client, tls_accept(origin, context):
        pass
    for said in (*range(130), *range(130, 900, STEP)):
        with proxy.connect() as client, origin.accept() as peer:
            wire = Wire(peer.socket, context, server=True)
            wire.hear()
            flight = wire.flight()
            sizes.append(len(flight))
            peer.send(flight[:said])
            peer.end()
            client.receive_until_reset()
    assert min(sizes) > 900
    proxy.wait_for_connections(0)
    assert proxy.stats("cluster", "app")["ssl.handshake"] <= 1
    records = proxy.records(len(sizes) + 1)[1:]
    assert {each["response_flags"] for each in records} == {"UF"}


def test_servers_that_stall(serve: Serve, origin: Origin, pki: Pki) -> None:
    """The handshake is part of the time to connect."""
    proxy = serve(origin.address, cluster={"tls": pki.cluster(), "connect_timeout_ms": 300, **ONCE})
    context = server_context(pki.peer)
    for said in (0, 1, 5, 100, 500):
        with proxy.connect() as client, origin.accept() as peer:
            wire = Wire(peer.socket, context, server=True)
            wire.hear()
            peer.send(wire.flight()[:said])
            client.receive_until_reset()
            peer.receive_what_comes()
    assert {each["response_flags"] for each in proxy.records(5)} == {"UF"}
    assert proxy.stats("cluster", "app")["upstream_cx_connect_timeout"] == 5


def test_a_server_byte_by_byte(serve: Serve, origin: Origin, pki: Pki) -> None:
    proxy = serve(origin.address, cluster={"tls": pki.cluster()})
    context = server_context(pki.peer, pki.trusted_ca)
    with proxy.connect() as client, origin.accept() as peer:
        wire = Wire(peer.socket, context, server=True)
        wire.hear()
        for byte in wire.flight():
            peer.send(bytes([byte]))
        while not _finished(wire):
            pass
        for byte in wire.data(b"answer", end=True):
            peer.send(bytes([byte]))
        assert client.receive_all() == b"answer"


def test_servers_that_speak_something_else(serve: Serve, origin: Origin, pki: Pki) -> None:
    proxy = serve(origin.address, cluster={"tls": pki.cluster(), **ONCE})
    said = [b"HTTP/1.1 400 Bad Request\r\n\r\n", b"220 ready\r\n", bytes(100), b"\x15\x03\x03\x00\x02\x02\x28"]
    for each in said:
        with proxy.connect() as client, origin.accept() as peer:
            peer.send(each)
            client.receive_until_reset()
            peer.receive_what_comes()
    assert {each["response_flags"] for each in proxy.records(len(said))} == {"UF"}
    assert proxy.stats("cluster", "app")["ssl.connection_error"] == len(said)


def test_a_client_that_has_gone_when_the_server_is_ready(serve: Serve, origin: Origin, pki: Pki) -> None:
    proxy = serve(origin.address, cluster={"tls": pki.cluster()})
    context = server_context(pki.peer, pki.trusted_ca)
    with origin_handshaking(proxy, origin) as (client, peer):
        client.reset()
        wire = Wire(peer.socket, context, server=True)
        with contextlib.suppress(ConnectionError):
            wire.hear()
            peer.send(wire.flight())
            peer.receive_what_comes()
    proxy.wait_for_connections(0)


@contextlib.contextmanager
def origin_handshaking(proxy: RunningProxy, origin: Origin) -> Iterator[tuple[Peer, Peer]]:
    """A client, and an origin that has been asked to shake hands."""
    with proxy.connect() as client, origin.accept() as peer:
        peer.socket.recv(1, socket.MSG_PEEK)
        yield client, peer
