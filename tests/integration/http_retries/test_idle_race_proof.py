"""What is known of a request when the idle connection that it was sent on ends: the proof that nobody has it, or none.

Chance has no part in it: the origin's socket drops every segment that comes, as a socket filter says, so that its
kernel acknowledges nothing of the request before it ends the connection.
"""

from __future__ import annotations

import ctypes
import re
import socket
import struct
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.http_messages import get, ok, post, post_chunked
from tests.support.http_service import HttpService, to
from tests.support.peer import Origin, Peer
from tests.support.waiting import wait_until

# <asm-generic/socket.h>
SO_ATTACH_FILTER = 26
SO_DETACH_FILTER = 27
# <linux/filter.h>: one instruction, to keep 0 bytes.
BPF_RET = 0x06
KEEPS_IDLE = {"learn_idle_timeout": False, "max_unrepeatable_idle_ms": 3_600_000}


def go_deaf(peer: Peer) -> None:
    """Take no segment any more; what has come before is still there to be read."""
    program = ctypes.create_string_buffer(struct.pack("HBBI", BPF_RET, 0, 0, 0), 8)
    described = struct.pack("HP", 1, ctypes.addressof(program))
    peer.socket.setsockopt(socket.SOL_SOCKET, SO_ATTACH_FILTER, described)


def hear_again(peer: Peer) -> None:
    peer.socket.setsockopt(socket.SOL_SOCKET, SO_DETACH_FILTER, 0)


def unacknowledged(peer: Peer) -> int:
    """Bytes that the other side's kernel has sent and not got acknowledged, or waits to send."""
    there, here = (address[1] for address in (peer.socket.getpeername(), peer.socket.getsockname()))
    for line in Path("/proc/net/tcp").read_text().splitlines()[1:]:
        found = re.match(r" *\d+: \w+:(\w+) \w+:(\w+) \w+ (\w+):", line)
        if found and (int(found[1], 16), int(found[2], 16)) == (there, here):
            return int(found[3], 16)
    return 0


def receive_until(peer: Peer, end: bytes) -> bytes:
    """What comes, up to there."""
    received = bytearray()
    while not received.endswith(end):
        piece = peer.socket.recv(65536)
        assert piece, "the stream ended"
        received += piece
    return bytes(received)


@pytest.fixture
def origin() -> Iterator[Origin]:
    """One that answers nothing by itself."""
    with Origin() as made:
        yield made


def idle_connection(service: HttpService, origin: Origin) -> Peer:
    """The one that carried the first request."""
    with service.client() as client:
        client.send(get(b"/first"))
        peer = origin.accept()
        # All of it: what is left unread makes a reset of a close.
        receive_until(peer, b"\r\n\r\n")
        peer.send(ok(b"first"))
        assert client.response().status == 200
    return peer


@pytest.mark.parametrize("message", [post(b"hello"), post(b"x" * 50_000), post_chunked(b"5\r\nhello\r\n0\r\n\r\n")])
@pytest.mark.parametrize("half", [False, True])
def test_nothing_was_acknowledged(service: HttpService, origin: Origin, message: bytes, half: bool) -> None:
    """The stream's end says up to where the peer had received: a POST is sent again, and arrives once."""
    service.serve(to(origin.address, http=KEEPS_IDLE))
    with idle_connection(service, origin) as idle, service.client() as client:
        go_deaf(idle)
        client.send(message)
        wait_until(lambda: unacknowledged(idle) >= len(message), "the request was sent")
        idle.end() if half else idle.close()
        with origin.accept() as fresh:
            assert receive_until(fresh, message[-7:]).startswith(b"POST /")
            fresh.send(ok(b"done"))
            assert client.response(b"POST").body == b"done"
        if half:
            # Nor does it come later: the proxy's kernel has given it up.
            service.proxy.wait_for_stat(0, "upstream_cx_active", "cluster", "app")
            hear_again(idle)
            assert unacknowledged(idle) == 0
            assert idle.receive_what_is_there() == b""
    stats = service.cluster()
    assert (stats["upstream_rq_retry_idle_race"], stats["upstream_rq_retry"]) == (1, 0)


@pytest.mark.parametrize("reset", [False, True])
def test_no_proof(service: HttpService, origin: Origin, reset: bool) -> None:
    """The peer's kernel has it, or has reset the connection: whether it was read nobody knows, so it is not sent
    again."""
    service.serve(to(origin.address, http=KEEPS_IDLE), access_log=service.log)
    with idle_connection(service, origin) as idle, service.client() as client:
        if reset:
            go_deaf(idle)
        client.send(post(b"hello"))
        if reset:
            wait_until(lambda: unacknowledged(idle) > 0, "the request was sent")
            idle.reset()
        else:
            assert idle.receive(6) == b"POST /"
            idle.end()
        assert client.response(b"POST").status == 503
        origin.expect_nobody()
    record = service.proxy.records(2)[-1]
    assert (record["response_flags"], record["response_code_details"]) == ("UC", "upstream_closed_before_response")
    assert service.cluster()["upstream_rq_retry_idle_race"] == 0
