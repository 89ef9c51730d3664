"""Long streams: moved by splice(2), bounded by a slow reader, and back to small messages."""

import socket
from collections.abc import Callable

import pytest

from tests.support.peer import Origin
from tests.support.running_proxy import RunningProxy
from tests.support.streams import Receiving, Sending, digest
from tests.support.waiting import wait_until

Serve = Callable[..., RunningProxy]
MIB = 1 << 20


@pytest.mark.parametrize("up", [True, False], ids=["up", "down"])
def test_bulk(serve: Serve, kind: str, origin_of_kind: Origin, up: bool) -> None:
    """64 MiB one way arrive unchanged; on the way they were spliced."""
    proxy = serve(origin_of_kind.address, kind=kind)
    with proxy.connect() as client, origin_of_kind.accept() as server:
        source, sink = (client, server) if up else (server, client)
        sending, receiving = Sending(source, 64 * MIB), Receiving(sink)
        assert receiving.digest() == digest(64 * MIB)
        sending.done()
        sink.end()
        source.expect_end()
    assert proxy.stats("server")["bulk_streams"] >= 1
    record = proxy.record()
    assert record["bytes_received" if up else "bytes_sent"] == 64 * MIB
    assert record["response_flags"] == "-"


def test_bulk_both_ways_at_once(serve: Serve, kind: str, origin_of_kind: Origin) -> None:
    """The two directions of one connection do not disturb each other."""
    proxy = serve(origin_of_kind.address, kind=kind)
    with proxy.connect() as client, origin_of_kind.accept() as server:
        sending = [Sending(client, 16 * MIB), Sending(server, 16 * MIB, start=99)]
        at_server, at_client = Receiving(server), Receiving(client)
        assert at_server.digest() == digest(16 * MIB)
        assert at_client.digest() == digest(16 * MIB, start=99)
        for each in sending:
            each.done()


def test_small_messages_after_bulk(serve: Serve, kind: str, origin_of_kind: Origin) -> None:
    """A stream that was spliced turns to ping-pong and back."""
    proxy = serve(origin_of_kind.address, kind=kind)
    with proxy.connect() as client, origin_of_kind.accept() as server:
        for turn in range(3):
            sending, receiving = Sending(client, 4 * MIB, start=turn, end=False), Receiving(server, 4 * MIB)
            assert receiving.digest() == digest(4 * MIB, start=turn)
            sending.done()
            for number in range(20):
                client.send(bytes([number]))
                assert server.receive(1) == bytes([number])
                server.send(bytes([number]) * 2)
                assert client.receive(2) == bytes([number]) * 2


# A small one keeps to copying; the others splice.
@pytest.mark.parametrize("limit", [4096, 65536, 262144])
def test_slow_reader_stops_the_sender(serve: Serve, origin: Origin, limit: int) -> None:
    """While nobody reads, only so much is taken as buffers hold; then all of it arrives."""
    proxy = serve(origin.address, listener={"buffer_limit_bytes": limit})
    with proxy.connect(receive_buffer=65536) as client, origin.accept() as server:
        server.socket.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 65536)
        sending = Sending(server, 96 * MIB)
        wait_until(lambda: at_rest(sending), "the sender stopped by the reader")
        # The kernel's own buffers hold what tcp_rmem and tcp_wmem allow, far below this.
        assert sending.sent < 64 * MIB
        taken = proxy.stats("cluster", "app")["upstream_cx_rx_bytes_total"]
        given = proxy.stats("listener", "in")["downstream_cx_tx_bytes_total"]
        assert 0 < taken - given <= limit
        receiving = Receiving(client)
        assert receiving.digest() == digest(96 * MIB)
        sending.done()


def test_slow_reader_on_a_unix_socket(serve: Serve, tmp_path) -> None:
    """The same where both sides are Unix sockets, upwards."""
    with Origin(f"unix:{tmp_path / 'origin'}") as origin:
        proxy = serve(origin.address, kind="unix")
        with proxy.connect() as client, origin.accept() as server:
            sending = Sending(client, 16 * MIB)
            wait_until(lambda: at_rest(sending), "the sender stopped by the reader")
            assert sending.sent < 8 * MIB
            receiving = Receiving(server)
            assert receiving.digest() == digest(16 * MIB)
            sending.done()


def test_answers_pass_while_the_other_way_is_blocked(serve: Serve, origin: Origin) -> None:
    """Back-pressure in one direction leaves the other one alone."""
    proxy = serve(origin.address)
    with proxy.connect() as client, origin.accept() as server:
        sending = Sending(client, 64 * MIB)
        wait_until(lambda: at_rest(sending), "the sender stopped by the reader")
        for number in range(50):
            server.send(bytes([number]))
            assert client.receive(1) == bytes([number])
        receiving = Receiving(server)
        assert receiving.digest() == digest(64 * MIB)
        sending.done()


def at_rest(sending: Sending) -> bool:
    """Whether a sender has sent something, and nothing more for a while."""
    before = sending.sent
    sending.join(0.3)
    return 0 < before == sending.sent
