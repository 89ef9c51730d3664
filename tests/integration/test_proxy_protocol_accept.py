"""PROXY protocol headers from downstream: every shape, every cut, and what is none."""

import socket
from collections.abc import Callable

import pytest

from tests.support.peer import Origin
from tests.support.proxy_headers import SIGNATURE, v1, v2, v2_raw
from tests.support.running_proxy import RunningProxy

Serve = Callable[..., RunningProxy]
ACCEPT = {"accept_proxy_protocol": True}

FOUR = ("192.0.2.7", 4711), ("198.51.100.9", 443)
SIX = ("2001:db8::7", 4711), ("2001:db8::9", 443)
TLV = b"\x04\x00\x03abc"

NAMED = {
    "v1-four": (v1(*FOUR), "192.0.2.7:4711", "198.51.100.9:443"),
    "v1-six": (v1(*SIX), "[2001:db8::7]:4711", "[2001:db8::9]:443"),
    "v2-four": (v2(*FOUR), "192.0.2.7:4711", "198.51.100.9:443"),
    "v2-six": (v2(*SIX), "[2001:db8::7]:4711", "[2001:db8::9]:443"),
    "v2-tlv": (v2(*FOUR, TLV), "192.0.2.7:4711", "198.51.100.9:443"),
}
UNNAMED = {
    "v1-unknown": b"PROXY UNKNOWN\r\n",
    "v1-unknown-words": b"PROXY UNKNOWN ffff::1 ::1 1 2\r\n",
    "v2-local": v2_raw(0x20, 0x00),
    "v2-local-with-addresses": v2_raw(0x20, 0x11, bytes(12)),
    "v2-unspecified": v2_raw(0x21, 0x00),
}
MALFORMED = {
    "no-header": b"GET / HTTP/1.1\r\n",
    "v1-lower-case": b"proxy TCP4 1.2.3.4 1.2.3.4 1 2\r\n",
    "v1-family": b"PROXY TCP5 1.2.3.4 1.2.3.4 1 2\r\n",
    "v1-address": b"PROXY TCP4 1.2.3.400 1.2.3.4 1 2\r\n",
    "v1-port": b"PROXY TCP4 1.2.3.4 1.2.3.4 1 65536\r\n",
    "v1-short": b"PROXY TCP4 1.2.3.4\r\n",
    "v1-newline": b"PROXY TCP4 1.2.3.4 1.2.3.4 1 2\n",
    "v1-endless": b"PROXY UNKNOWN " + b"x" * 200,
    "v2-version": v2_raw(0x11, 0x11, bytes(12)),
    "v2-command": v2_raw(0x22, 0x11, bytes(12)),
    "v2-family": v2_raw(0x21, 0x41, bytes(12)),
    "v2-too-short": v2_raw(0x21, 0x11, bytes(11)),
    "v2-too-long": v2_raw(0x21, 0x11, bytes(8000)),
    "v2-tlv": v2(*FOUR, b"\x04\x00\x09abc"),
    "signature": SIGNATURE[:-1] + b"X",
}


@pytest.mark.parametrize("name", NAMED)
def test_addresses_are_taken_over(serve: Serve, origin: Origin, name: str) -> None:
    """The record names who the header names; data in the same segment is not lost."""
    header, remote, local = NAMED[name]
    proxy = serve(origin.address, listener=ACCEPT)
    with proxy.connect() as client:
        client.send(header + b"data")
        with origin.accept() as server:
            assert server.receive(4) == b"data"
            server.send(b"answer")
            assert client.receive(6) == b"answer"
            client.end()
            server.expect_end()
    record = proxy.record()
    assert (record["downstream_remote_address"], record["downstream_local_address"]) == (remote, local)
    assert (record["bytes_received"], record["bytes_sent"]) == (4, 6)
    assert proxy.stats("listener", "in")["downstream_cx_rx_bytes_total"] == 4


@pytest.mark.parametrize("name", UNNAMED)
def test_headers_that_name_nobody(serve: Serve, origin: Origin, name: str) -> None:
    """The connection's own addresses stand."""
    proxy = serve(origin.address, listener=ACCEPT)
    with proxy.connect() as client:
        own = client.address
        client.send(UNNAMED[name] + b"data")
        with origin.accept() as server:
            assert server.receive(4) == b"data"
    record = proxy.record()
    assert record["downstream_remote_address"] == own
    assert record["downstream_local_address"] == proxy.address()


@pytest.mark.parametrize("name", ["v1-four", "v2-six", "v2-tlv"])
def test_cut_at_every_byte(serve: Serve, origin: Origin, name: str) -> None:
    """Two segments, whatever the first one ends with; the second also carries data."""
    header, remote, _ = NAMED[name]
    proxy = serve(origin.address, listener=ACCEPT)
    for cut in range(1, len(header)):
        with proxy.connect() as client:
            client.send(header[:cut])
            with proxy.held():
                client.send(header[cut:] + b"data")
            with origin.accept() as server:
                assert server.receive(4) == b"data"
    records = proxy.records(len(header) - 1)
    assert {record["downstream_remote_address"] for record in records} == {remote}


@pytest.mark.parametrize("name", ["v1-six", "v2-six"])
def test_byte_by_byte(serve: Serve, origin: Origin, name: str) -> None:
    """Each byte in a segment of its own."""
    proxy = serve(origin.address, listener=ACCEPT)
    with proxy.connect() as client:
        for byte in NAMED[name][0] + b"data":
            client.send(bytes([byte]))
        client.end()
        with origin.accept() as server:
            assert server.receive_all() == b"data"
    assert proxy.record()["downstream_remote_address"] == NAMED[name][1]


@pytest.mark.parametrize("name", MALFORMED)
def test_malformed(serve: Serve, origin: Origin, name: str) -> None:
    """What is no header is reset, counted, flagged, and never reaches the origin."""
    proxy = serve(origin.address, listener=ACCEPT)
    with proxy.connect() as client:
        client.send(MALFORMED[name])
        assert client.receive_until_reset() == b""
    record = proxy.record()
    assert (record["response_flags"], record["connection_termination_details"]) == (
        "DPE",
        "proxy_protocol_malformed",
    )
    assert proxy.stats("listener", "in")["downstream_cx_proxy_proto_error"] == 1
    origin.expect_nobody()


@pytest.mark.parametrize("sent", [b"", b"P", b"PROXY TCP4 1.2.3.4", SIGNATURE, v2(*FOUR)[:-1]])
def test_end_before_the_header_is_complete(serve: Serve, origin: Origin, sent: bytes) -> None:
    """A client that gives up says so in the record."""
    proxy = serve(origin.address, listener=ACCEPT)
    with proxy.connect() as client:
        if sent:
            client.send(sent)
        client.end()
        assert client.receive_until_reset() == b""
    record = proxy.record()
    assert (record["response_flags"], record["connection_termination_details"]) == ("DPE", "proxy_protocol_missing")
    origin.expect_nobody()


def test_reset_before_the_header_is_complete(serve: Serve, origin: Origin) -> None:
    """A reset is one here too."""
    proxy = serve(origin.address, listener=ACCEPT)
    with proxy.connect() as client:
        client.send(b"PROXY ")
        client.reset()
    assert proxy.record()["response_flags"] == "DC"


def test_header_data_and_end_at_once(serve: Serve, origin: Origin) -> None:
    """All that a client will ever send may come in one segment, more than a header's worth of it."""
    proxy = serve(origin.address, listener=ACCEPT)
    body = bytes(range(256)) * 400
    with proxy.connect() as client:
        client.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_CORK, 1)
        client.send(NAMED["v2-four"][0] + body)
        client.end()
        with origin.accept() as server:
            assert server.receive_all() == body
            server.send(b"answer")
            server.close()
            assert client.receive_all() == b"answer"


def test_on_a_unix_socket(serve: Serve, origin: Origin) -> None:
    """A Unix listener takes headers too: there they are the only way to a client's address."""
    proxy = serve(origin.address, kind="unix", listener=ACCEPT)
    with proxy.connect() as client:
        client.send(NAMED["v2-four"][0] + b"data")
        with origin.accept() as server:
            assert server.receive(4) == b"data"
    assert proxy.record()["downstream_remote_address"] == "192.0.2.7:4711"


def test_a_reset_with_the_header(serve: Serve, origin: Origin, mounting: str) -> None:
    """Header, data, end of stream and reset are all there when the worker first looks: nobody is dialled."""
    if mounting == "threaded":
        pytest.skip("only inline can a test stop the worker at that moment")
    proxy = serve(origin.address, listener=ACCEPT)
    with proxy.held():
        client = proxy.connect()
        client.send(NAMED["v1-four"][0] + b"hello")
        client.end()
        client.reset()
    record = proxy.record()
    assert record["response_flags"] == "DC"
    assert record["connection_termination_details"] == "downstream_reset"
    origin.expect_nobody()
