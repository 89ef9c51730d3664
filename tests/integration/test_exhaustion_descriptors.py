"""Descriptors run out: who is over is shed at once, nobody spins, and others are served when some are free again."""

import json
import threading
import time
from pathlib import Path

from tests.support.child import Child
from tests.support.configs import cluster, config, listener
from tests.support.peer import Origin, Peer, connect
from tests.support.streams import Background
from tests.support.waiting import wait_until

SPARE = 12


class EchoOrigin(Background):
    """Echoes the first byte of each connection, and keeps the connections."""

    def __init__(self, origin: Origin) -> None:
        super().__init__()
        self._origin = origin
        self.kept: list[Peer] = []
        self.start()

    def work(self) -> None:
        """Serve until a connection says stop."""
        while True:
            peer = self._origin.accept()
            self.kept.append(peer)
            peer.socket.setblocking(True)
            byte = peer.socket.recv(1)
            if byte == b"!":
                return
            if byte:
                peer.send(byte)


def served(address: str) -> Peer | None:
    """A connection that relays, or None when it was shed."""
    client = None
    try:
        client = connect(address)
        client.send(b"x")
        assert client.receive(1) == b"x"
    except (ConnectionResetError, BrokenPipeError):
        if client is not None:
            client.close()
        return None
    return client


def test_descriptors_run_out(mounting: str, tmp_path: Path) -> None:
    """Shed, rest, recover."""
    with Origin() as origin:
        echo = EchoOrigin(origin)
        settings = config([listener()], [cluster([origin.address])], tmp_path)
        with Child("tests.support.child_proxy", mounting, str(SPARE), json.dumps(settings)) as child:
            address = child.hear()
            tried = [served(address) for _ in range(30)]
            clients = [each for each in tried if each]
            assert 0 < len(clients) < SPARE
            assert child.ask("")["shed"] >= len(tried) - len(clients)
            assert_it_does_not_spin(child, address)
            for each in clients:
                each.close()
            for each in echo.kept:
                each.close()
            wait_until(lambda: child.ask("")["active"] == 0, "all of them gone")
            again = wait_until(lambda: served(address), "served again")
            again.close()
        with connect(origin.address) as last:
            last.send(b"!")
            echo.done()
        for each in echo.kept:
            each.close()


def assert_it_does_not_spin(child: Child, address: str) -> None:
    """While connections come that cannot be served, the process sleeps most of the time."""
    wall_s, cpu_s = time.monotonic(), child.ask("")["cpu_s"]
    while time.monotonic() - wall_s < 1:
        assert served(address) is None
        threading.Event().wait(0.02)
    used_s = child.ask("")["cpu_s"] - cpu_s
    assert used_s < 0.5 * (time.monotonic() - wall_s)
