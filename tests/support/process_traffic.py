"""Plain connections for process tests: an echo origin in this process, a client, and raw admin requests."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from http.client import HTTPConnection
from typing import NamedTuple

from tests.support.process import LIMIT_S


class EchoOrigin:
    """Sends back what it gets, and ends when its peer has. `address` is on IPv4 loopback."""

    def __init__(self) -> None:
        self._listening = socket.create_server(("127.0.0.1", 0), backlog=128)
        self.address = f"127.0.0.1:{self._listening.getsockname()[1]}"
        self._open: set[socket.socket] = set()
        self._threads: list[threading.Thread] = []
        self._lock = threading.Lock()
        self._start(self._accept)

    def _start(self, target: Callable[..., None], *arguments: object) -> None:
        thread = threading.Thread(target=target, args=arguments)
        self._threads.append(thread)
        thread.start()

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._listening.accept()
            except OSError:
                return
            with self._lock:
                self._open.add(connection)
            self._start(self._echo, connection)

    def _echo(self, connection: socket.socket) -> None:
        with connection:
            try:
                while data := connection.recv(65536):
                    connection.sendall(data)
                connection.shutdown(socket.SHUT_WR)
            except OSError:
                pass
            with self._lock:
                self._open.discard(connection)

    def close(self) -> None:
        """Stop listening and end every connection."""
        # A shutdown wakes the thread that waits in accept; a close alone would not.
        self._listening.shutdown(socket.SHUT_RDWR)
        self._threads[0].join()
        self._listening.close()
        with self._lock:
            for each in self._open:
                with suppress(OSError):
                    each.shutdown(socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join()


@contextmanager
def echo_origin() -> Iterator[str]:
    """An echo server; gives its address."""
    origin = EchoOrigin()
    try:
        yield origin.address
    finally:
        origin.close()


def connect(address: str, limit_s: float = LIMIT_S) -> socket.socket:
    """A connection to an address as the log writes it."""
    if address.startswith("unix:"):
        path = address.removeprefix("unix:")
        connection = socket.socket(socket.AF_UNIX)
        connection.settimeout(limit_s)
        try:
            connection.connect("\0" + path[1:] if path.startswith("@") else path)
        except OSError:
            connection.close()
            raise
        return connection
    host, _, port = address.rpartition(":")
    return socket.create_connection((host.strip("[]"), int(port)), limit_s)


def has_ipv6() -> bool:
    """Whether this machine has an IPv6 loopback address."""
    try:
        socket.create_server(("::1", 0), family=socket.AF_INET6).close()
    except OSError:
        return False
    return True


def receive_exactly(connection: socket.socket, size: int) -> bytes:
    """That many bytes, or fewer when the peer ends before."""
    data = bytearray()
    while len(data) < size and (part := connection.recv(size - len(data))):
        data += part
    return bytes(data)


def receive_all(connection: socket.socket) -> bytes:
    """Everything until the peer ends."""
    data = bytearray()
    while part := connection.recv(65536):
        data += part
    return bytes(data)


def ask(connection: socket.socket, message: bytes) -> None:
    """Send a message through to an echo origin and see it come back."""
    connection.sendall(message)
    assert receive_exactly(connection, len(message)) == message


class Reply(NamedTuple):
    """What the admin endpoint answered. Header names are in lower case."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def text(self) -> str:
        return self.body.decode()


class UnixHTTPConnection(HTTPConnection):
    """HTTP over a Unix socket."""

    def __init__(self, path: str) -> None:
        super().__init__("localhost", timeout=LIMIT_S)
        self._path = path

    def connect(self) -> None:
        self.sock = connect(f"unix:{self._path}")


def _http(address: str) -> HTTPConnection:
    if address.startswith("unix:"):
        return UnixHTTPConnection(address.removeprefix("unix:"))
    host, _, port = address.rpartition(":")
    return HTTPConnection(host.strip("[]"), int(port), timeout=LIMIT_S)


def admin(address: str, target: str, method: str = "GET", body: bytes | None = None) -> Reply:
    """Ask the admin endpoint for something."""
    http = _http(address)
    try:
        http.request(method, target, body)
        response = http.getresponse()
        headers = {name.lower(): value for name, value in response.getheaders()}
        return Reply(response.status, headers, response.read())
    finally:
        http.close()


def admin_raw(address: str, request: bytes) -> list[Reply]:
    """Send bytes to the admin endpoint as they are, then nothing more; every answer that comes back."""
    with connect(address) as connection:
        connection.sendall(request)
        connection.shutdown(socket.SHUT_WR)
        return parse_replies(receive_all(connection))


def parse_replies(data: bytes) -> list[Reply]:
    """The HTTP/1.1 answers that follow each other in `data`, each with a content-length."""
    replies = []
    while data:
        head, mark, data = data.partition(b"\r\n\r\n")
        assert mark, head
        status_line, *lines = head.decode("ascii").split("\r\n")
        headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
        size = int(headers.get("content-length", "0"))
        replies.append(Reply(int(status_line.split()[1]), headers, data[:size]))
        data = data[size:]
    return replies


def counters(address: str, pattern: str = "") -> dict[str, float]:
    """The statistics whose names match, by name."""
    reply = admin(address, f"/stats?filter={pattern}")
    assert reply.status == 200, reply
    pairs = (line.rsplit(": ", 1) for line in reply.text.splitlines())
    return {name: float(value) for name, value in pairs}
