"""Whether the answers that come through a proxy are the origin's."""

import re
import socket

from benchmarks.errors import BenchmarkError

BODY = b"0123456789" * 10  # what load/origin.c answers
_SECONDS = 10.0
_MOST_BYTES = 65536


def check_answer(port: int, host: str = "bench", path: str = "/") -> int:
    """Make a request to ``port``; return how many bytes the answer has, its head included.

    Raises BenchmarkError when it is not a 200 with the origin's body.
    """
    request = f"GET {path} HTTP/1.1\r\nHost: {host}\r\n\r\n".encode()
    try:
        with socket.create_connection(("127.0.0.1", port), _SECONDS) as connection:
            connection.sendall(request)
            data = _read_answer(connection)
    except OSError as error:
        raise BenchmarkError(f"no answer to a request for {host}{path}: {error}") from error
    head, _, body = data.partition(b"\r\n\r\n")
    if not head.startswith(b"HTTP/1.1 200 ") or body != BODY:
        raise BenchmarkError(f"not the answer to a request for {host}{path}: {data[:300]!r}")
    return len(data)


def _read_answer(connection: socket.socket) -> bytes:
    """Return an answer whose length is told by Content-Length; what came until the end, if it ends early."""
    data = b""
    while len(data) < _MOST_BYTES:
        head, found, body = data.partition(b"\r\n\r\n")
        length = re.search(rb"\r\ncontent-length: *(\d+)", head, re.IGNORECASE)
        if found and (not length or len(body) >= int(length[1])):
            break
        piece = connection.recv(_MOST_BYTES)
        if not piece:
            break
        data += piece
    return data


def check_bytes(received: float, answers: float, answer_bytes: int, connections: int) -> None:
    """Raise BenchmarkError unless so many bytes are so many whole answers, all of one length.

    When a load ends, each of its connections may have received a part of an answer that is not counted any more.
    """
    over = received - answers * answer_bytes
    if not 0 <= over <= connections * answer_bytes:
        raise BenchmarkError(f"{answers:.0f} answers of {answer_bytes} bytes had {received:.0f} bytes")
