"""An exchange that proves every byte: the client says what it will send and wants back, and both ends hash it all.

A request is one line: how many bytes follow, how many are wanted, and how the origin shall end. The answer is the
SHA-256 of what came, then the bytes that were wanted. The client half-closes behind its bytes, so that every exchange
also depends on ends being passed on.
"""

from __future__ import annotations

import hashlib
import random
import threading
from typing import Self

from tests.support.peer import Origin, Peer, connect
from tests.support.streams import digest, pieces

LINE_BYTES = 40


class HashOrigin:
    """Serves exchanges, each in a thread; `connections` counts them. Leaving it waits for all of them."""

    def __init__(self) -> None:
        self._origin = Origin(backlog=1024)
        self._origin.socket.settimeout(None)
        self.address = self._origin.address
        self.connections = 0
        self.failures: list[BaseException] = []
        self._threads: list[threading.Thread] = []
        self._acceptor = threading.Thread(target=self._accept)

    def __enter__(self) -> Self:
        self._acceptor.start()
        return self

    def __exit__(self, *_: object) -> None:
        with connect(self.address) as last:
            last.send(b"stop".ljust(LINE_BYTES))
            self._acceptor.join()
        self._origin.close()
        for each in self._threads:
            each.join()
        assert not self.failures, self.failures

    def _accept(self) -> None:
        while True:
            peer = self._origin.accept()
            try:
                line = peer.receive(LINE_BYTES).split()
            except (ConnectionResetError, AssertionError):
                peer.close()
                continue
            if line[0] == b"stop":
                peer.close()
                return
            self.connections += 1
            self._threads = [each for each in self._threads if each.is_alive()]
            thread = threading.Thread(target=self._serve, args=(peer, line))
            self._threads.append(thread)
            thread.start()

    def _serve(self, peer: Peer, line: list[bytes]) -> None:
        try:
            with peer:
                serve(peer, int(line[0]), int(line[1]), line[2])
        except (ConnectionResetError, BrokenPipeError) as failure:
            if line[2] != b"client-resets":
                self.failures.append(failure)
        except BaseException as failure:
            self.failures.append(failure)


def serve(peer: Peer, size: int, wanted: int, how: bytes) -> None:
    """The origin's side of one exchange."""
    received = hashlib.sha256()
    count = 0
    while piece := peer.socket.recv(1 << 18):
        received.update(piece)
        count += len(piece)
    assert count == size or how == b"client-resets", f"{count} of {size} bytes"
    if how == b"origin-resets":
        peer.send(b"gone")
        peer.reset()
        return
    peer.send(received.hexdigest().encode())
    for piece in pieces(wanted, start=wanted):
        peer.send(piece)


def exchange(address: str, choice: random.Random) -> None:
    """The client's side of one exchange, of a random size and a random end. Raises when anything is wrong."""
    size, wanted = (int(2 ** choice.uniform(0, 19)) for _ in range(2))
    how = choice.choices([b"ends", b"origin-resets", b"client-resets"], [8, 1, 1])[0]
    with connect(address) as peer:
        peer.send(b"%d %d %s" % (size, wanted, how) + b" " * (LINE_BYTES - len(b"%d %d %s" % (size, wanted, how))))
        for piece in pieces(size if how != b"client-resets" else size // 2, start=size):
            peer.send(piece)
        if how == b"client-resets":
            peer.reset()
            return
        peer.end()
        if how == b"origin-resets":
            assert peer.receive_until_reset() == b"gone"
            return
        answer = peer.receive_all()
    assert answer[:64].decode() == digest(size, start=size), "the origin got other bytes"
    assert len(answer) == 64 + wanted, f"{len(answer) - 64} of {wanted} bytes came back"
    assert hashlib.sha256(answer[64:]).hexdigest() == digest(wanted, start=wanted), "other bytes came back"
