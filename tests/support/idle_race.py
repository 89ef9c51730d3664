"""A client and an origin in one thread, so that a test decides what comes first: the request, or the end of the idle
connection that it is about to be sent on."""

from __future__ import annotations

import re
import select
import socket
import time
from typing import Self

from tests.support.peer import connect
from tests.support.waiting import LIMIT_S

_HEAD_END = b"\r\n\r\n"
_ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


class IdleRace:
    """One request after the other through a proxy, each with the end of the connection that carried the last one."""

    def __init__(self) -> None:
        self._listening = socket.create_server(("127.0.0.1", 0), backlog=64)
        self.address = "{}:{}".format(*self._listening.getsockname())
        self._connections: dict[int, tuple[socket.socket, bytearray]] = {}
        self._last: socket.socket | None = None
        self._client: socket.socket | None = None
        self.seen: dict[int, int] = {}  # of each request's number, how often an origin read it whole
        self.failed: list[bytes] = []  # status lines of what was not answered by the origin

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def connect(self, address: str) -> None:
        """Make the client's connection to the proxy."""
        self._client = connect(address).socket
        self._client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def ask(self, number: int, method: bytes, end_first: bool | None = None, apart_us: int = 0) -> None:
        """Request `number`, and its answer. The connection that carried the one before it is ended so many
        microseconds before it (end_first), or behind it; None leaves it open."""
        assert self._client is not None
        message = b"%s /%d HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello" % (method, number)
        last, self._last = self._last, None
        if end_first and last is not None:
            self._end(last, apart_us)
        self._client.sendall(message)
        if end_first is False and last is not None:
            _spin(apart_us)
            self._end(last, 0)
        self._until_answered()

    def _end(self, connection: socket.socket, apart_us: int) -> None:
        del self._connections[connection.fileno()]
        connection.close()
        _spin(apart_us)

    def _until_answered(self) -> None:
        assert self._client is not None
        received = bytearray()
        deadline = time.monotonic() + LIMIT_S
        while not _is_whole(received):
            assert time.monotonic() < deadline, f"no answer, but {bytes(received)!r}"
            readable, _, _ = select.select([self._client, self._listening, *self._open()], [], [], LIMIT_S)
            for each in readable:
                if each is self._client:
                    data = each.recv(65536)
                    assert data, "the proxy has ended the client's connection"
                    received += data
                elif each is self._listening:
                    connection, _ = each.accept()
                    self._connections[connection.fileno()] = (connection, bytearray())
                else:
                    self._serve(each)
        if not received.startswith(b"HTTP/1.1 200"):
            self.failed.append(bytes(received.split(b"\r\n", 1)[0]))

    def _open(self) -> list[socket.socket]:
        return [connection for connection, _ in self._connections.values()]

    def _serve(self, connection: socket.socket) -> None:
        _, buffer = self._connections[connection.fileno()]
        try:
            data = connection.recv(65536)
        except ConnectionResetError:
            data = b""
        if not data:
            del self._connections[connection.fileno()]
            connection.close()
            return
        buffer += data
        if not _is_whole(buffer):
            return
        number = int(re.match(rb"[A-Z]+ /(\d+) ", buffer)[1])  # type: ignore[index]
        self.seen[number] = self.seen.get(number, 0) + 1
        buffer.clear()
        connection.sendall(_ANSWER)
        self._last = connection

    def close(self) -> None:
        """Give everything back; again is allowed."""
        for each in (self._listening, self._client, *self._open()):
            if each is not None:
                each.close()


def _spin(microseconds: int) -> None:
    until = time.perf_counter_ns() + 1000 * microseconds
    while time.perf_counter_ns() < until:
        pass


def _is_whole(message: bytearray) -> bool:
    """Whether this is a whole message, by its Content-Length."""
    head, found, body = message.partition(_HEAD_END)
    if not found:
        return False
    length = re.search(rb"(?i)\r\ncontent-length: *(\d+)", head)
    return len(body) >= (int(length[1]) if length else 0)
