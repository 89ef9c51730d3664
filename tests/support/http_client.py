"""A client that sends bytes exactly as told, and takes nothing but complete and unambiguous responses."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import pairwise
from typing import Literal, Self

from tests.support.http_oracles import CutShort, Message, MessageReader
from tests.support.peer import Peer

End = Literal["end", "reset"]


class Incomplete(Exception):
    """The connection ended before a response was complete. `raw` is what there was of it."""

    def __init__(self, raw: bytes, end: End, head: Message | None) -> None:
        super().__init__(f"{end} after {raw!r}")
        self.raw, self.end, self.head = raw, end, head


class HttpClient:
    """One connection to a proxy."""

    def __init__(self, peer: Peer) -> None:
        self.peer = peer
        self.ended: End | None = None
        self.interim: list[Message] = []  # before the last response
        self._rest = b""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.peer.close()

    def send(self, *pieces: bytes) -> None:
        """Send each piece by itself; once the other side has closed, nothing more is sent."""
        for piece in pieces:
            try:
                self.peer.send(piece)
            except (BrokenPipeError, ConnectionResetError):
                return

    def response(self, method: bytes = b"GET", upgrades: bool = False) -> Message:
        """The next response but 1xx, those into `interim`; raises Incomplete, or Malformed. `method`, `upgrades`: of
        the request."""
        reader = MessageReader("response", method, upgrades)
        raw = self._rest
        complete = bool(raw) and reader.feed(raw)
        while not complete:
            data = self._receive()
            raw += data
            if self.ended == "reset" or (not data and not reader.begun):
                raise Incomplete(raw, self.ended or "end", reader.message)
            complete = self._feed(reader, data, raw)
        assert reader.message is not None
        self._rest = reader.rest
        self.interim = reader.interim
        return reader.message

    def _feed(self, reader: MessageReader, data: bytes, raw: bytes) -> bool:
        if data:
            return reader.feed(data)
        try:
            if reader.feed(b""):
                return True
        except CutShort:
            pass
        raise Incomplete(raw, "end", reader.message)

    def exchange(self, data: bytes, method: bytes = b"GET") -> Message:
        """Send a request; its response."""
        self.send(data)
        return self.response(method)

    def interim_response(self) -> bytes:
        """The head of the next 1xx, as it comes."""
        while b"\r\n\r\n" not in self._rest:
            data = self._receive()
            assert data, f"{self.ended} after {self._rest!r}"
            self._rest += data
        head, _, self._rest = self._rest.partition(b"\r\n\r\n")
        return head + b"\r\n\r\n"

    def received(self, size: int) -> bytes:
        """The next `size` bytes, whatever they are."""
        while len(self._rest) < size:
            data = self._receive()
            assert data, f"{self.ended} after {self._rest!r}"
            self._rest += data
        found, self._rest = self._rest[:size], self._rest[size:]
        return found

    def until_end(self) -> bytes:
        """Everything up to the end of either kind, which is in `ended`."""
        found, self._rest = self._rest, b""
        while self.ended is None:
            found += self._receive()
        return found

    def expect_closed(self) -> End:
        """Nothing more comes but the end."""
        rest = self.until_end()
        assert rest == b"", f"more than the response: {rest!r}"
        assert self.ended is not None
        return self.ended

    def _receive(self) -> bytes:
        if self.ended is not None:
            return b""
        try:
            data = self.peer.socket.recv(65536)
        except ConnectionResetError:
            self.ended = "reset"
            return b""
        if not data:
            self.ended = "end"
        return data


def in_pieces(data: bytes, cuts: Iterable[int]) -> list[bytes]:
    """`data` cut at these places."""
    places = [0, *sorted(cuts), len(data)]
    return [data[begin:end] for begin, end in pairwise(places) if begin < end]
