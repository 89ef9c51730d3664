"""One end of a connection, every move of which the test dictates: blocking calls, each with a generous limit."""

from __future__ import annotations

import errno
import socket
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Self

from mesh_core.config import parse_address
from tests.support.addresses import new_socket, text_of
from tests.support.waiting import LIMIT_S

_LINGER_0 = struct.pack("ii", 1, 0)


class Peer:
    """A connected socket, the client's or the origin's."""

    def __init__(self, connection: socket.socket) -> None:
        connection.settimeout(LIMIT_S)
        if connection.family != socket.AF_UNIX:
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.socket = connection

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def send(self, data: bytes) -> None:
        """Send all of it."""
        self.socket.sendall(data)

    def receive(self, size: int) -> bytes:
        """Exactly `size` bytes; fails when the stream ends before."""
        data = bytearray()
        while len(data) < size:
            piece = self.socket.recv(size - len(data))
            assert piece, f"the stream ended after {len(data)} of {size} bytes"
            data += piece
        return bytes(data)

    def receive_all(self) -> bytes:
        """Everything up to the end of the stream; a reset is an error."""
        data = bytearray()
        while piece := self.socket.recv(65536):
            data += piece
        return bytes(data)

    def receive_until_reset(self) -> bytes:
        """Everything up to a reset; an end of stream instead of it fails."""
        data = bytearray()
        try:
            while piece := self.socket.recv(65536):
                data += piece
        except ConnectionResetError:
            return bytes(data)
        raise AssertionError("the stream ended, where it should have been reset")

    def receive_what_comes(self) -> bytes:
        """Everything up to the end, of either kind."""
        data = bytearray()
        try:
            while piece := self.socket.recv(65536):
                data += piece
        except ConnectionResetError:
            pass
        return bytes(data)

    def receive_what_is_there(self) -> bytes:
        """What has come so far, without waiting."""
        self.socket.setblocking(False)
        try:
            return self.socket.recv(1 << 20)
        except (BlockingIOError, ConnectionResetError):
            return b""
        finally:
            self.socket.settimeout(LIMIT_S)

    def expect_end(self) -> None:
        """The stream ends here, as its sender wished."""
        assert self.socket.recv(1) == b""

    def end(self) -> None:
        """Half-close: this side sends nothing more."""
        self.socket.shutdown(socket.SHUT_WR)

    def reset(self) -> None:
        """Close so that the other side sees a reset."""
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _LINGER_0)
        self.socket.close()

    def close(self) -> None:
        """Close; again is allowed."""
        self.socket.close()

    def fill(self, limit: int = 1 << 30) -> int:
        """Send zeros until nothing more is taken, as long as it takes for that to stay so; returns how many."""
        block = bytes(65536)
        sent = 0
        self.socket.settimeout(0.5)
        try:
            while sent < limit:
                sent += self.socket.send(block)
        except TimeoutError:
            pass
        finally:
            self.socket.settimeout(LIMIT_S)
        return sent

    @property
    def address(self) -> str:
        """This end's address, as access records write it."""
        return text_of(self.socket)


class Origin:
    """A listening socket. Nothing is accepted before the test says so."""

    def __init__(self, address: str = "127.0.0.1:0", backlog: int = 128) -> None:
        self.socket = new_socket(address)
        self.socket.settimeout(LIMIT_S)
        self.socket.bind(parse_address(address).sockaddr())
        self.socket.listen(backlog)
        self.address = text_of(self.socket)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def accept(self) -> Peer:
        """The next connection; fails when none comes."""
        return Peer(self.socket.accept()[0])

    def expect_nobody(self) -> None:
        """Nothing waits to be accepted."""
        self.socket.setblocking(False)
        try:
            connection, _ = self.socket.accept()
        except BlockingIOError:
            return
        finally:
            self.socket.settimeout(LIMIT_S)
        connection.close()
        raise AssertionError("a connection has come")

    def close(self) -> None:
        """Stop listening; again is allowed."""
        self.socket.close()


def connect(address: str, receive_buffer: int | None = None) -> Peer:
    """A client's connection to `address`."""
    connection = new_socket(address)
    try:
        if receive_buffer is not None:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        connection.settimeout(LIMIT_S)
        connection.connect(parse_address(address).sockaddr())
    except BaseException:
        connection.close()
        raise
    return Peer(connection)


def turned_away(address: str) -> None:
    """A new connection is reset before it has carried anything; its client may learn that from `connect`."""
    try:
        with connect(address) as client:
            assert client.receive_until_reset() == b""
    except ConnectionResetError:
        pass


def refused(address: str) -> bool:
    """Whether nobody listens at `address`."""
    try:
        connect(address).close()
    except OSError as error:
        return error.errno in (errno.ECONNREFUSED, errno.ENOENT)
    return False


@contextmanager
def refusing(address: str = "127.0.0.1:0") -> Iterator[str]:
    """An address at which connections are refused: it is taken, and nobody listens."""
    with new_socket(address) as taken:
        taken.bind(parse_address(address).sockaddr())
        yield text_of(taken)
