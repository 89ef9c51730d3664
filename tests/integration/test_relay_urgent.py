"""Urgent data: a byte that TCP marks stays in its place in the stream."""

import fcntl
import socket
import struct
import termios
import threading
from collections.abc import Callable

import pytest

from tests.support.peer import Origin, Peer
from tests.support.running_proxy import RunningProxy
from tests.support.streams import Receiving, Sending, pieces
from tests.support.waiting import wait_until

Serve = Callable[..., RunningProxy]
MIB = 1 << 20
PIECE = b"".join(pieces(65536))


@pytest.mark.parametrize("up", [True, False], ids=["up", "down"])
def test_urgent_byte_in_place(serve: Serve, origin: Origin, up: bool) -> None:
    """Urgent bytes, before, between and behind others, arrive where they were sent."""
    proxy = serve(origin.address)
    with proxy.connect() as client, origin.accept() as server:
        source, sink = (client, server) if up else (server, client)
        source.socket.send(b"!", socket.MSG_OOB)
        assert sink.receive(1) == b"!"
        for _ in range(20):
            source.send(b"before")
            source.socket.send(b"urgent!", socket.MSG_OOB)
            source.send(b"after")
            assert sink.receive(18) == b"beforeurgent!after"
        source.send(b"last")
        source.socket.send(b"!", socket.MSG_OOB)
        source.end()
        assert sink.receive_all() == b"last!"


def test_urgent_byte_within_bulk(serve: Serve, origin: Origin) -> None:
    """splice(2) stops at an urgent byte without saying so; the stream goes on all the same."""
    proxy = serve(origin.address)
    with proxy.connect(receive_buffer=65536) as client, origin.accept() as server:
        sending, receiving = Sending(server, 4 * MIB, end=False), Receiving(client, 4 * MIB)
        receiving.done()
        sending.done()
        assert proxy.stats("server")["bulk_streams"] >= 1
        waiting = block(proxy, server)
        # All of this lies in the proxy's receive buffer, and no event will follow, when the reader makes room.
        tail = PIECE + b"!" + PIECE
        server.send(PIECE)
        server.socket.send(b"!", socket.MSG_OOB)
        server.send(PIECE)
        wait_until(lambda: unacknowledged(server) == 0, "all of it at the proxy")
        assert client.receive(waiting + len(tail))[-len(tail) :] == tail


def test_urgent_byte_and_the_end_within_bulk(serve: Serve, origin: Origin) -> None:
    """Behind an urgent byte, splice(2) tells the end of a stream too early: what it skips must not be lost."""
    proxy = serve(origin.address)
    with proxy.connect(receive_buffer=65536) as client, origin.accept() as server:
        sending, receiving = Sending(server, 4 * MIB, end=False), Receiving(client, 4 * MIB)
        receiving.done()
        sending.done()
        waiting = block(proxy, server)
        server.send(PIECE)
        server.socket.send(b"!", socket.MSG_OOB)
        server.send(PIECE)
        server.end()
        wait_until(lambda: unacknowledged(server) == 0, "all of it at the proxy")
        rest = client.receive_all()
        assert len(rest) == waiting + 2 * len(PIECE) + 1
        assert rest.endswith(PIECE + b"!" + PIECE)


def block(proxy: RunningProxy, server: Peer) -> int:
    """Send until the client, which does not read, lets nothing more through; returns how many bytes that took."""
    total = 0
    while True:
        server.send(PIECE)
        total += len(PIECE)
        wait_until(lambda: unacknowledged(server) == 0, "it is at the proxy")
        if not moved(proxy, 4 * MIB + total):
            return total


def moved(proxy: RunningProxy, total: int) -> bool:
    """Whether so many bytes have been handed to the client's socket; False once it is clear that they will not."""
    before = -1
    while (given := proxy.stats("listener", "in")["downstream_cx_tx_bytes_total"]) != before:
        if given == total:
            return True
        before = given
        threading.Event().wait(0.2)
    return False


def unacknowledged(peer: Peer) -> int:
    """Bytes that a peer has sent and the other end's kernel has not taken."""
    return struct.unpack("i", fcntl.ioctl(peer.socket, termios.TIOCOUTQ, bytes(4)))[0]
