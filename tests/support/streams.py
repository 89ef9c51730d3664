"""Long streams that are checked by their SHA-256, each end in a thread of its own."""

from __future__ import annotations

import hashlib
import random
import threading
from collections.abc import Iterator

from tests.support.peer import Peer
from tests.support.waiting import LIMIT_S

# A prime, so that no piece of a stream repeats at the size of any buffer.
_PATTERN = random.Random(20261122).randbytes(1_048_583)


def pieces(size: int, piece: int = 1 << 18, start: int = 0) -> Iterator[memoryview]:
    """`size` bytes of a fixed pattern, from byte `start` of it on, in pieces of at most `piece`."""
    pattern = memoryview(_PATTERN)
    at = start % len(pattern)
    while size:
        part = pattern[at : at + min(piece, size)]
        yield part
        size -= len(part)
        at = (at + len(part)) % len(pattern)


def digest(size: int, start: int = 0) -> str:
    """The SHA-256 of that stream."""
    whole = hashlib.sha256()
    for piece in pieces(size, start=start):
        whole.update(piece)
    return whole.hexdigest()


class Background(threading.Thread):
    """A thread whose failure is the test's failure: `done` raises it."""

    def __init__(self) -> None:
        super().__init__(daemon=True)
        self._failure: BaseException | None = None

    def run(self) -> None:
        """Do the work."""
        try:
            self.work()
        except BaseException as failure:
            self._failure = failure

    def work(self) -> None:
        """What the thread is for."""
        raise NotImplementedError

    def done(self, limit_s: float = 3 * LIMIT_S) -> None:
        """Wait for its end; raises what it failed with."""
        self.join(limit_s)
        assert not self.is_alive(), "still at work"
        if self._failure is not None:
            raise self._failure


class Sending(Background):
    """Sends a stream; `sent` can be watched meanwhile."""

    def __init__(self, peer: Peer, size: int, start: int = 0, end: bool = True) -> None:
        super().__init__()
        self.sent = 0
        self._peer, self._size, self._first, self._end = peer, size, start, end
        self.start()

    def work(self) -> None:
        """Send, then half-close."""
        for piece in pieces(self._size, start=self._first):
            rest = piece
            while rest:
                count = self._peer.socket.send(rest)
                self.sent += count
                rest = rest[count:]
        if self._end:
            self._peer.end()


class Receiving(Background):
    """Receives `size` bytes, or everything up to the end of the stream."""

    def __init__(self, peer: Peer, size: int | None = None) -> None:
        super().__init__()
        self.received = 0
        self._hash = hashlib.sha256()
        self._peer, self._size = peer, size
        self.start()

    def work(self) -> None:
        """Receive."""
        buffer = bytearray(1 << 18)
        view = memoryview(buffer)
        while self._size is None or self.received < self._size:
            room = len(buffer) if self._size is None else min(len(buffer), self._size - self.received)
            count = self._peer.socket.recv_into(view[:room])
            if count == 0:
                assert self._size is None, f"the stream ended after {self.received} of {self._size} bytes"
                return
            self._hash.update(view[:count])
            self.received += count

    def digest(self) -> str:
        """The SHA-256 of what came, once all has."""
        self.done()
        return self._hash.hexdigest()
