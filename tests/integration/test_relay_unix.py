"""What only Unix sockets do: messages that carry descriptors, and a close that sends no packet."""

import array
import os
import socket
from collections.abc import Callable

import pytest

from tests.support.addresses import free_address
from tests.support.peer import Origin
from tests.support.running_proxy import RunningProxy
from tests.support.waiting import wait_until

Serve = Callable[..., RunningProxy]


def test_bytes_behind_a_message_with_descriptors(serve: Serve, origin: Origin) -> None:
    """A receive ends behind such a message; what comes after it must not wait for the next event."""
    proxy = serve(origin.address, kind="unix")
    # Inline, `held` keeps the worker from reading in between.
    with proxy.connect() as client, origin.accept() as server:
        client.send(b"hello")
        assert server.receive(5) == b"hello"
        with proxy.held():
            rights = (socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", [0]))
            for _ in range(3):
                client.socket.sendmsg([b"with"], [rights])
                client.send(b"behind")
        assert server.receive(30) == b"withbehind" * 3


@pytest.mark.parametrize("closer", ["client", "origin"])
def test_a_close_after_a_half_close(serve: Serve, tmp_path: os.PathLike[str], closer: str) -> None:
    """Nobody sends anything any more, so only the hang-up tells that the peer is gone."""
    with Origin(free_address("unix", tmp_path)) as origin:
        proxy = serve(origin.address, kind="unix")
        client, server = proxy.connect(), origin.accept()
        gone, left = (client, server) if closer == "client" else (server, client)
        gone.end()
        assert left.receive_all() == b""
        gone.close()
        wait_until(lambda: proxy.stats("listener", "in")["downstream_cx_active"] == 0, "the connection has ended")
        left.close()
