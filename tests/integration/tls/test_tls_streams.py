"""What passes through TLS on either side: bytes, ends of streams, cuts."""

from __future__ import annotations

import ssl

import pytest

from tests.integration.tls.conftest import Wiring
from tests.support.streams import Receiving, Sending, digest
from tests.support.tls_peer import TlsPeer

DOWNSTREAM = pytest.mark.parametrize("where", ["listener", "both"], indirect=True)
UPSTREAM = pytest.mark.parametrize("where", ["cluster", "both"], indirect=True)
VERSIONS = [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3]


@pytest.mark.parametrize("version", VERSIONS, ids=lambda each: each.name)
def test_sizes_around_every_bound(wiring: Wiring, version: ssl.TLSVersion) -> None:
    """Records hold 16384 bytes, the buffers of a worker 262144."""
    client, server = wiring.open(version)
    with client, server:
        for size in (1, 2, 1023, 4095, 4096, 16383, 16384, 16385, 32768, 65537, 262143, 262144, 262145):
            for number, (source, sink) in enumerate(((client, server), (server, client))):
                sending = Sending(source, size, start=size + number, end=False)
                received = Receiving(sink, size)
                assert received.digest() == digest(size, start=size + number), size
                sending.done()


@pytest.mark.parametrize("version", VERSIONS, ids=lambda each: each.name)
def test_long_streams_both_ways_at_once(wiring: Wiring, version: ssl.TLSVersion) -> None:
    size = 24 << 20
    client, server = wiring.open(version)
    with client, server:
        up, down = Receiving(server), Receiving(client)
        sendings = Sending(client, size), Sending(server, size, start=7)
        assert up.digest() == digest(size)
        assert down.digest() == digest(size, start=7)
        for each in sendings:
            each.done()
    record = wiring.proxy.record()
    assert (record["bytes_received"], record["bytes_sent"]) == (size, size)
    assert record["response_flags"] == "-"


def test_the_client_ends_first(wiring: Wiring) -> None:
    """A half-close stays a half-close: close_notify one way, data the other."""
    client, server = wiring.open()
    with client, server:
        client.send(b"question")
        client.end()
        assert server.receive_all() == b"question"
        for _ in range(3):
            server.send(b"answer")
            assert client.receive(6) == b"answer"
        server.end()
        client.expect_end()
    assert wiring.proxy.record()["response_flags"] == "-"


def test_the_server_ends_first(wiring: Wiring) -> None:
    client, server = wiring.open()
    with client, server:
        server.send(b"greeting")
        server.end()
        assert client.receive_all() == b"greeting"
        for _ in range(3):
            client.send(b"more")
            assert server.receive(4) == b"more"
        client.end()
        server.expect_end()
    assert wiring.proxy.record()["response_flags"] == "-"


def test_nothing_is_said(wiring: Wiring) -> None:
    client, server = wiring.open()
    with client, server:
        client.end()
        server.expect_end()
        server.end()
        client.expect_end()
    assert wiring.proxy.record()["response_flags"] == "-"


def test_an_end_behind_a_long_stream(wiring: Wiring) -> None:
    size = 8 << 20
    client, server = wiring.open()
    with client, server:
        sending = Sending(client, size)
        assert Receiving(server).digest() == digest(size)
        sending.done()
        server.send(b"got it")
        server.end()
        assert client.receive_all() == b"got it"


def test_a_reset_of_the_client(wiring: Wiring) -> None:
    client, server = wiring.open()
    with client, server:
        client.send(b"begun")
        assert server.receive(5) == b"begun"
        client.reset()
        with pytest.raises(ConnectionResetError):
            server.receive_all()
    assert "DC" in wiring.proxy.record()["response_flags"]


def test_a_reset_of_the_server(wiring: Wiring) -> None:
    client, server = wiring.open()
    with client, server:
        server.send(b"begun")
        assert client.receive(5) == b"begun"
        server.reset()
        with pytest.raises(ConnectionResetError):
            client.receive_all()
    assert "UC" in wiring.proxy.record()["response_flags"]


@DOWNSTREAM
def test_a_client_that_ends_without_close_notify(wiring: Wiring) -> None:
    """Whoever is in between can do that: the origin must not take it for an end."""
    client, server = wiring.open()
    assert isinstance(client, TlsPeer)
    with client, server:
        client.send(b"begun")
        assert server.receive(5) == b"begun"
        client.cut()
        with pytest.raises(ConnectionResetError):
            server.receive_all()
    record = wiring.proxy.record()
    assert (record["response_flags"], record["connection_termination_details"]) == ("DC", "tls_truncated")
    assert wiring.proxy.stats("listener", "in")["ssl.truncated"] == 1


@UPSTREAM
def test_a_server_that_ends_without_close_notify(wiring: Wiring) -> None:
    """A response that is cut must not look complete."""
    client, server = wiring.open()
    assert isinstance(server, TlsPeer)
    with client, server:
        server.send(b"begun")
        assert client.receive(5) == b"begun"
        server.cut()
        with pytest.raises(ConnectionResetError):
            client.receive_all()
    record = wiring.proxy.record()
    assert (record["response_flags"], record["connection_termination_details"]) == ("UC", "tls_truncated")
    assert wiring.proxy.stats("cluster", "app")["ssl.truncated"] == 1


def test_after_its_own_end_a_peer_may_go(wiring: Wiring) -> None:
    """close_notify first, then the connection: nothing was cut, whatever the other side still wanted to say."""
    client, server = wiring.open()
    with client, server:
        client.send(b"question")
        client.end()
        assert server.receive_all() == b"question"
        server.send(b"answer")
        server.end()
        assert client.receive_all() == b"answer"
    wiring.proxy.wait_for_connections(0)
    for kind, name in (("listener", "in"), ("cluster", "app")):
        assert wiring.proxy.stats(kind, name).get("ssl.truncated") == 0


@DOWNSTREAM
def test_a_record_that_was_tampered_with(wiring: Wiring) -> None:
    client, server = wiring.open()
    assert isinstance(client, TlsPeer)
    with client, server:
        client.send(b"begun")
        assert server.receive(5) == b"begun"
        client.tls.plain.sendall(b"\x17\x03\x03\x00\x20" + bytes(32))
        with pytest.raises(ConnectionResetError):
            server.receive_all()
    record = wiring.proxy.record()
    assert record["connection_termination_details"] == "tls_bad_record"
    assert wiring.proxy.stats("listener", "in")["ssl.connection_error"] == 1


def test_what_the_record_tells(wiring: Wiring) -> None:
    client, server = wiring.open(ssl.TLSVersion.TLSv1_3)
    with client, server:
        client.end()
        server.expect_end()
        server.end()
        client.expect_end()
    record = wiring.proxy.record()
    if wiring.where != "cluster":
        assert record["downstream_tls_version"] == "TLSv1.3"
        assert record["downstream_tls_cipher"] == "TLS_AES_128_GCM_SHA256"
        assert record["downstream_peer_identity"] == "spiffe://mesh.local/peer"
        assert record["requested_server_name"] == "proxy.mesh.local"
    if wiring.where != "listener":
        assert record["upstream_tls_version"] == "TLSv1.3"
        assert record["upstream_peer_identity"] == "spiffe://mesh.local/peer"
