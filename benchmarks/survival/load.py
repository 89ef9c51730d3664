"""The load: ``python -m benchmarks.survival.load PLAN PORT OUTCOMES``, until a SIGTERM comes.

The plan is a file of JSON, the fields of `Plan`. Each connection sends a request, waits for the answer, judges all of
it, and waits at random before the next, so that no more than ``rate`` requests a second are sent however fast they
fail. Requests are numbered from 1; outcomes go to another file (`outcome`).
"""

import asyncio
import contextlib
import itertools
import json
import random
import signal
import socket
import struct
import sys
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import BinaryIO, cast

import uvloop

from benchmarks.survival.outcome import End, Method, Outcome
from benchmarks.survival.payload import body, chunked, stored
from benchmarks.survival.wire import Body, Head, Reader, WireError

_CONNECT_SECONDS = 5.0
_LATE_SECONDS = 40.0  # more than any time-out of the proxy's
_FLUSH_SECONDS = 0.1
_RESET = struct.pack("ii", 1, 0)


@dataclass(frozen=True)
class Plan:
    """What the load does. Sizes are drawn from a list: one that stands there twice is twice as frequent."""

    seed: int
    connections: int = 32
    rate: float = 1000.0  # requests per second, of all connections together
    sizes: tuple[int, ...] = (0, 100, 100, 2_000, 10_000)
    posts: float = 0.2  # the part of requests that is not idempotent; as many are PUT, the others GET
    chunked: float = 0.3  # the part of bodies that is sent in chunks
    requests_per_connection: int = 200  # on average; then a connection is closed and another made
    leaves: float = 0.0  # the part of requests whose load goes away by a reset before the answer has ended
    half_closes: float = 0.0  # the part of requests behind which the load ends its stream, and waits for the answer
    slow: float = 0.0  # the part of requests whose body is sent in two parts, some milliseconds apart

    def write(self, path: Path) -> Path:
        path.write_text(json.dumps(asdict(self)))
        return path


class Exchange(asyncio.Protocol):
    """A connection, seen from the load: one answer at a time."""

    def __init__(self) -> None:
        self._reader = Reader()
        self._head: Head | None = None
        self._answer: asyncio.Future[tuple[Head, bytes]] | None = None
        self.lost = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)

    def data_received(self, data: bytes) -> None:
        try:
            for event in self._reader.feed(data):
                self._take(event)
        except (WireError, ValueError) as error:
            self._fail(WireError(str(error)))

    def _take(self, event: Head | Body) -> None:
        if self._answer is None or self._answer.done():
            raise WireError("an answer that nobody waits for")
        if isinstance(event, Head):
            self._head = event
        else:
            assert self._head is not None
            self._answer.set_result((self._head, event.data))

    def connection_lost(self, error: Exception | None) -> None:
        self.lost = True
        self._fail(ConnectionError("ended"))

    def _fail(self, error: Exception) -> None:
        if self._answer is not None and not self._answer.done():
            self._answer.set_exception(error)
        self.transport.abort()

    def expect(self) -> asyncio.Future[tuple[Head, bytes]]:
        """Return what becomes the next answer; ConnectionError when it is cut, WireError when it is none."""
        self._answer = asyncio.get_running_loop().create_future()
        if self.lost:
            self._answer.set_exception(ConnectionError("ended"))
        return self._answer

    def send(self, data: bytes) -> None:
        """Send, unless the connection has ended: whoever waits for the answer learns that."""
        if not self.transport.is_closing():
            self.transport.write(data)

    def end_of_stream(self) -> None:
        """Send nothing more; answers still come."""
        if not self.transport.is_closing():
            self.transport.write_eof()

    def reset(self) -> None:
        """End it as a crash would."""
        connection: socket.socket | None = self.transport.get_extra_info("socket")
        if connection is not None:
            with contextlib.suppress(OSError):
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
        self.transport.abort()


class Load:
    """All connections."""

    def __init__(self, plan: Plan, port: int, outcomes: BinaryIO):
        self._plan, self._port, self._outcomes = plan, port, outcomes
        self._random = random.Random(plan.seed)
        self._numbers = itertools.count(1)
        self._ending = asyncio.Event()

    def end(self) -> None:
        """Begin no more; what has begun is waited for."""
        self._ending.set()

    async def run(self) -> None:
        """Send until `end`, and until the last answer."""
        flushing = asyncio.create_task(self._flush())
        await asyncio.gather(*(self._connections() for _ in range(self._plan.connections)))
        flushing.cancel()

    async def _flush(self) -> None:
        while True:
            await asyncio.sleep(_FLUSH_SECONDS)
            self._outcomes.flush()

    async def _rest(self) -> None:
        pause = self._random.expovariate(self._plan.rate / self._plan.connections)
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._ending.wait(), pause)

    async def _connections(self) -> None:
        loop = asyncio.get_running_loop()
        while not self._ending.is_set():
            try:
                async with asyncio.timeout(_CONNECT_SECONDS):
                    _, exchange = await loop.create_connection(Exchange, "127.0.0.1", self._port)
            except OSError:
                await self._rest()
                request = Request(next(self._numbers), self._plan, self._random)
                self._keep(request, End.REFUSED, 0)
                continue
            for _ in range(1 + int(self._random.expovariate(1 / self._plan.requests_per_connection))):
                await self._rest()
                # What was closed between two requests is no fault: a request on it would have been.
                if exchange.lost or self._ending.is_set() or not await self._one(exchange):
                    break
            exchange.transport.close()

    async def _one(self, exchange: Exchange) -> bool:
        """Make a request; whether the connection can take another."""
        request = Request(next(self._numbers), self._plan, self._random)
        answer = exchange.expect()
        if request.slow:
            exchange.send(request.message[:-1])
            await asyncio.sleep(0.02)
            exchange.send(request.message[-1:])
        else:
            exchange.send(request.message)
        if request.half_close:
            exchange.end_of_stream()
        status, more = 0, False
        limit_s = _LATE_SECONDS if request.leave_after_s is None else request.leave_after_s
        try:
            head, data = await asyncio.wait_for(answer, limit_s)
            status = head.status
            end = request.judge(head, data)
            more = not head.closes and not request.half_close
        except TimeoutError:
            end = End.LATE if request.leave_after_s is None else End.LEFT
            exchange.reset()
        except ConnectionError:
            end = End.CUT
        except WireError:
            end = End.WRONG
        self._keep(request, end, status)
        return more and end is not End.WRONG

    def _keep(self, request: "Request", end: End, status: int) -> None:
        took_us = now_us() - request.begun_us
        self._outcomes.write(Outcome(request.number, request.method, end, status, request.begun_us, took_us).pack())


class Request:
    """One request, and what its answer must be."""

    def __init__(self, number: int, plan: Plan, chance: random.Random):
        self.number, self.begun_us = number, now_us()
        draw = chance.random()
        self.method = Method.POST if draw < plan.posts else Method.PUT if draw < 2 * plan.posts else Method.GET
        self._size = chance.choice(plan.sizes)
        in_chunks = chance.random() < plan.chunked
        self.leave_after_s = chance.uniform(0, 0.02) if chance.random() < plan.leaves else None
        self.half_close = chance.random() < plan.half_closes
        self.slow = chance.random() < plan.slow
        self.message = self._write(in_chunks)

    def _write(self, in_chunks: bool) -> bytes:
        if self.method is Method.GET:
            query = b"?chunked" if in_chunks else b""
            return b"GET /bytes/%d%b HTTP/1.1\r\nhost: survival\r\nx-request-id: %d\r\n\r\n" % (
                self._size, query, self.number)
        data = body(self.number, self._size)
        framing = b"transfer-encoding: chunked" if in_chunks else b"content-length: %d" % len(data)
        return b"%b /store/%d HTTP/1.1\r\nhost: survival\r\nx-request-id: %d\r\n%b\r\n\r\n%b" % (
            self.method.name.encode(), self._size, self.number, framing,
            chunked(data, self.number) if in_chunks else data)

    def judge(self, head: Head, data: bytes) -> End:
        """Say how an answer that has come whole ends the request."""
        if head.status != 200:
            return End.PASSED_ON if b"x-origin" in head.fields else End.FAILED
        right = body(self.number, self._size) if self.method is Method.GET else stored(self.number, self._size)
        return End.ANSWERED if data == right and head.number == self.number else End.WRONG


def now_us() -> int:
    return time.monotonic_ns() // 1000


async def _run(plan: Plan, port: int, path: Path) -> None:
    with path.open("wb") as outcomes:
        load = Load(plan, port, outcomes)
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, load.end)
        await load.run()


def main() -> None:
    """Do as the plan says."""
    plan, port, outcomes = sys.argv[1:]
    uvloop.run(_run(Plan(**json.loads(Path(plan).read_text())), int(port), Path(outcomes)))


if __name__ == "__main__":
    main()
