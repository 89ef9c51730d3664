"""An origin that does as it is told, good or bad: ``python -m benchmarks.survival.origin NUMBER PORT DIRECTORY``.

It serves ``GET /bytes/SIZE``, ``PUT`` and ``POST /store/SIZE``, and ``GET /health``; a query of ``chunked`` asks for an
answer in chunks. Orders come as datagrams of JSON to a socket in the directory; a SIGTERM ends it in peace: it stops to
accept, closes idle connections, and answers what has begun.
"""

import asyncio
import contextlib
import ctypes
import json
import random
import signal
import socket
import struct
import sys
import time
from pathlib import Path
from typing import Any, cast

import uvloop

from benchmarks.survival.journal import JournalWriter, Kind
from benchmarks.survival.payload import LARGEST, body, chunked, stored
from benchmarks.survival.wire import Body, Head, Reader, WireError

_PR_SET_PDEATHSIG = 1
_RESET = struct.pack("ii", 1, 0)  # a close that is a reset
_END_SECONDS = 2.0  # for what has begun when it is to end


class Origin:
    """The state of the process: who is connected, and what it was told to do to them."""

    def __init__(self, number: int, directory: Path):
        self.name = b"%d" % number
        self.journal = JournalWriter(journal_path(directory, number))
        self.connections: set[Connection] = set()
        self.random = random.Random(number)
        self.ending = False
        self.status = 200
        self.delay_s = 0.0
        self.idle_s: tuple[float, float] | None = None
        self.resets = 0  # requests to come that are answered with a reset
        self.cuts = 0  # answers to come that end half-way with an end of stream
        self.half_closes = 0  # answers to come that are whole, with an end of stream behind them that was not announced

    def obey(self, order: dict[str, Any]) -> None:
        """Carry out an order: what is named is changed, the rest stays."""
        for name in ("status", "delay_s", "idle_s", "resets", "cuts", "half_closes"):
            if name in order:
                setattr(self, name, order[name])
        if order.get("reset_all"):
            for each in list(self.connections):
                each.reset()
        if order.get("close_idle"):
            self.close_idle()

    def close_idle(self) -> None:
        for each in list(self.connections):
            each.close_if_idle()


def journal_path(directory: Path, number: int) -> Path:
    return directory / f"origin-{number}.journal"


def orders_path(directory: Path, number: int) -> Path:
    return directory / f"origin-{number}.orders"


class Connection(asyncio.Protocol):
    """One connection: requests in turn, each answered before the next is looked at."""

    def __init__(self, origin: Origin):
        self._origin = origin
        self._reader = Reader()
        self._head: Head | None = None
        self._answers = 0  # that are still delayed
        self._said_all = False
        self._timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        self._origin.connections.add(self)
        self._rest()

    def connection_lost(self, error: Exception | None) -> None:
        self._origin.connections.discard(self)
        self._stir()

    def data_received(self, data: bytes) -> None:
        self._stir()
        if self._said_all:
            return  # nobody would serve what comes now
        try:
            for event in self._reader.feed(data):
                if isinstance(event, Head):
                    self._head = event
                    if event.number >= 0:
                        self._note(Kind.BEGUN)
                else:
                    self._serve(event)
        except WireError:
            self._transport.abort()

    def _note(self, kind: Kind) -> None:
        assert self._head is not None
        self._origin.journal.write(kind, self._head.number, time.monotonic_ns() // 1000)

    # --- idle ---

    def _rest(self) -> None:
        if self._origin.idle_s is not None:
            low, high = self._origin.idle_s
            self._timer = asyncio.get_running_loop().call_later(
                self._origin.random.uniform(low, high), self.close_if_idle)

    def _stir(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    @property
    def idle(self) -> bool:
        return self._reader.between and not self._answers

    def close_if_idle(self) -> None:
        if self.idle:
            self._transport.close()

    def reset(self) -> None:
        connection: socket.socket | None = self._transport.get_extra_info("socket")
        if connection is not None:
            with contextlib.suppress(OSError):
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
        self._transport.abort()

    # --- answering ---

    def _serve(self, message: Body) -> None:
        assert self._head is not None
        head, origin = self._head, self._origin
        if origin.resets and head.number >= 0:
            origin.resets -= 1
            self.reset()
            return
        answer = self._answer(head, message.data)
        if not origin.delay_s or head.number < 0:
            self._send(answer, head.number)
            return
        self._answers += 1
        asyncio.get_running_loop().call_later(origin.delay_s, self._send_late, answer, head.number)

    def _send_late(self, answer: bytes, number: int) -> None:
        self._answers -= 1
        self._send(answer, number)

    def _answer(self, head: Head, received: bytes) -> bytes:
        """Return the whole answer to a request."""
        method, target, _ = head.start.split(b" ", 2)
        path, _, query = target.partition(b"?")
        number, origin = head.number, self._origin
        if path == b"/health":
            return self._message(origin.status, b"well\n", number)
        size = int(path.rpartition(b"/")[2])
        if not 0 <= size <= LARGEST:
            raise WireError("a size that was never asked for")
        if method != b"GET":
            if received != body(number, size):
                self._note(Kind.WRONG)
                return self._message(500, b"wrong bytes\n", number)
            self._note(Kind.DONE)
        if origin.status != 200:
            self._note(Kind.REFUSED)
            return self._message(origin.status, b"told to fail\n", number)
        data = body(number, size) if method == b"GET" else stored(number, size)
        return self._message(200, data, number, in_chunks=query == b"chunked")

    def _message(self, status: int, data: bytes, number: int, *, in_chunks: bool = False) -> bytes:
        framing = b"transfer-encoding: chunked" if in_chunks else b"content-length: %d" % len(data)
        end = b"connection: close\r\n" if self._origin.ending else b""
        return b"HTTP/1.1 %d -\r\nx-origin: %b\r\nx-request-id: %d\r\n%b\r\n%b\r\n%b" % (
            status, self._origin.name, max(number, 0), framing, end, chunked(data, number) if in_chunks else data)

    def _send(self, answer: bytes, number: int) -> None:
        if self._transport.is_closing():
            return
        origin = self._origin
        if number >= 0 and origin.cuts:
            origin.cuts -= 1
            self._transport.write(answer[:len(answer) * 2 // 3])
            self._end_of_stream()
            return
        self._transport.write(answer)
        if number >= 0 and origin.half_closes:
            origin.half_closes -= 1
            self._end_of_stream()
        elif origin.ending:
            self._transport.close()
        else:
            self._rest()

    def _end_of_stream(self) -> None:
        self._said_all = True
        self._transport.write_eof()
        self._timer = asyncio.get_running_loop().call_later(_END_SECONDS, self._transport.abort)


class Orders(asyncio.DatagramProtocol):
    """The socket for orders."""

    def __init__(self, origin: Origin):
        self._origin = origin

    def datagram_received(self, data: bytes, address: object) -> None:
        self._origin.obey(json.loads(data))


async def _serve(number: int, port: int, directory: Path) -> None:
    origin = Origin(number, directory)
    loop = asyncio.get_running_loop()
    path = orders_path(directory, number)
    path.unlink(missing_ok=True)
    orders = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    orders.bind(str(path))
    orders.setblocking(False)
    transport, _ = await loop.create_datagram_endpoint(lambda: Orders(origin), sock=orders)
    ended = asyncio.Event()
    loop.add_signal_handler(signal.SIGTERM, ended.set)
    server = await loop.create_server(lambda: Connection(origin), "127.0.0.1", port, backlog=1024)
    await ended.wait()
    origin.ending = True
    server.close()
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(_END_SECONDS):
            while origin.connections:
                origin.close_idle()
                await asyncio.sleep(0.005)
    transport.close()
    origin.journal.close()


def main() -> None:
    """Serve until a SIGTERM comes."""
    # Paused, it would outlive a harness that is killed: a SIGTERM would wait.
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    number, port, directory = sys.argv[1:]
    uvloop.run(_serve(int(number), int(port), Path(directory)))


if __name__ == "__main__":
    main()
