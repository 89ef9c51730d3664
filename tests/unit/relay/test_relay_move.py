"""Moving bytes from one socket to another, a call at a time."""

from __future__ import annotations

import contextlib
import gc
import random
import socket
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from mesh_core._testing.relay import BULK_THRESHOLD, SCRATCH_BYTES, SERVER_BULK_STREAMS, Relay
from mesh_core.runtime.memory import fail_allocations_after_for_test, live_allocations
from mesh_core.telemetry.stats import StatsScope

# A socket that holds little, so that a sink is soon full.
SMALL = 4096


@dataclass
class Pair:
    """A relay and the far ends of its two sockets."""

    relay: Relay
    source: socket.socket
    sink: socket.socket
    near: tuple[socket.socket, socket.socket]
    scope: StatsScope

    def drain(self) -> bytes:
        """All that has come out at the sink's far end."""
        parts = []
        while True:
            try:
                part = self.sink.recv(1 << 20)
            except BlockingIOError:
                break
            if not part:
                break
            parts.append(part)
        return b"".join(parts)


def connected() -> tuple[socket.socket, socket.socket]:
    with socket.create_server(("127.0.0.1", 0)) as server:
        far = socket.create_connection(server.getsockname())
        near, _ = server.accept()
    near.setblocking(False)
    return near, far


@pytest.fixture
def pair() -> Iterator[Pair]:
    gc.collect()
    memory, descriptors = live_allocations(), len(list(Path("/proc/self/fd").iterdir()))
    near_source, far_source = socket.socketpair()
    near_sink, far_sink = socket.socketpair()
    for each in (near_source, near_sink, far_sink):
        each.setblocking(False)
    scope = StatsScope("server", (), 1)
    relay = Relay(near_source.fileno(), near_sink.fileno(), scope)
    yield Pair(relay, far_source, far_sink, (near_source, near_sink), scope)
    fail_allocations_after_for_test(None)
    relay.close()
    for each in (near_source, far_source, near_sink, far_sink):
        each.close()
    del scope, relay
    gc.collect()
    assert live_allocations() <= memory + 1  # the scope may still be the test's
    assert len(list(Path("/proc/self/fd").iterdir())) == descriptors


def test_short_data_costs_one_receive(pair: Pair) -> None:
    pair.source.send(b"hello")
    pair.relay.readable()
    assert pair.relay.move() == "waiting"
    assert pair.drain() == b"hello"
    assert (pair.relay.received, pair.relay.sent) == (5, 5)
    # A short receive emptied the socket: nobody asked for another one.
    assert not pair.relay.is_readable
    pair.source.send(b"more")
    assert pair.relay.move() == "waiting"
    assert pair.drain() == b""


def test_nothing_to_read(pair: Pair) -> None:
    pair.relay.readable()
    assert pair.relay.move() == "waiting"
    assert not pair.relay.is_readable


def test_the_end_comes_after_the_bytes(pair: Pair) -> None:
    pair.source.send(b"last words")
    pair.source.shutdown(socket.SHUT_WR)
    pair.relay.readable(until_empty=True)
    assert pair.relay.move() == "ended"
    assert pair.drain() == b"last words"
    assert pair.relay.move() == "ended"


def test_a_limit_below_what_waits(pair: Pair) -> None:
    data = random.Random(0).randbytes(3500)
    pair.source.send(data)
    pair.relay.readable()
    assert pair.relay.move(1000) == "waiting"
    assert pair.drain() == data


def test_others_have_their_turn(pair: Pair) -> None:
    data = random.Random(1).randbytes(10_000)
    pair.source.send(data)
    pair.relay.readable()
    assert pair.relay.move(400) == "yielded"
    assert pair.relay.is_readable
    while pair.relay.move(400) == "yielded":
        pass
    assert pair.drain() == data


@pytest.mark.parametrize("limit", [1, 1000, 65536, SCRATCH_BYTES])
def test_a_full_sink_stops_the_reading(pair: Pair, limit: int) -> None:
    pair.near[1].setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SMALL)
    pair.source.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1 << 20)
    pair.source.setblocking(False)
    data = random.Random(2).randbytes(100_000)
    offered = pair.source.send(data)
    pair.relay.readable()
    status = "yielded"
    while status == "yielded":
        status = pair.relay.move(limit)
    assert status == "blocked"
    assert pair.relay.is_blocked
    queued, piped = pair.relay.kept
    assert 0 < queued <= limit
    assert piped == 0
    assert pair.relay.received == pair.relay.sent + queued
    assert pair.relay.move(limit) == "blocked"
    assert pair.relay.received == pair.relay.sent + queued
    out = b""
    for _ in range(200_000):
        out += pair.drain()
        if len(out) == offered:
            break
        pair.relay.unblocked()
        pair.relay.move(limit)
        assert sum(pair.relay.kept) <= limit
    assert out == data[:offered]
    assert pair.relay.kept == (0, 0)


def test_no_memory_for_the_rest(pair: Pair) -> None:
    pair.near[1].setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SMALL)
    pair.source.setblocking(False)
    pair.source.send(bytes(200_000))
    pair.relay.readable()
    fail_allocations_after_for_test(0)
    assert pair.relay.move() == "no memory"
    fail_allocations_after_for_test(None)
    assert pair.relay.kept == (0, 0)


def test_a_sink_that_has_gone(pair: Pair) -> None:
    pair.sink.close()
    pair.source.send(b"to nobody")
    pair.relay.readable()
    assert pair.relay.move() == "sink failed"


def test_a_source_that_was_reset() -> None:
    near_source, far_source = connected()
    near_sink, far_sink = socket.socketpair()
    relay = Relay(near_source.fileno(), near_sink.fileno(), StatsScope("server", (), 1))
    far_source.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
    far_source.close()
    relay.readable(until_empty=True)
    while (status := relay.move()) == "waiting":
        relay.readable(until_empty=True)
    assert status == "source failed"
    relay.close()
    for each in (near_source, near_sink, far_sink):
        each.close()


def pump(relay: Relay, source: socket.socket, sink: socket.socket, data: bytes, noise: random.Random) -> bytes:
    """Send all data through, with a reader that is sometimes slow; returns what came out."""
    source.setblocking(False)
    sink.setblocking(False)
    rest = memoryview(data)
    out = bytearray()
    while True:
        if rest:
            with contextlib.suppress(BlockingIOError):
                rest = rest[source.send(rest[: noise.choice((1000, 300_000, len(rest)))]) :]
            if not rest:
                source.shutdown(socket.SHUT_WR)
        relay.readable(until_empty=not rest)
        status = relay.move(noise.choice((4096, 65536, SCRATCH_BYTES)))
        assert status in ("waiting", "blocked", "yielded", "ended")
        if noise.random() < 0.7:
            relay.unblocked()
            try:
                out += sink.recv(noise.choice((1, 5000, 1 << 20)))
            except BlockingIOError:
                if status == "ended":
                    return bytes(out)


@pytest.mark.parametrize("seed", range(3))
def test_bulk_by_splice_loses_and_changes_nothing(seed: int) -> None:
    near_source, far_source = connected()
    near_sink, far_sink = connected()
    scope = StatsScope("server", (), 1)
    relay = Relay(near_source.fileno(), near_sink.fileno(), scope)
    noise = random.Random(seed)
    data = noise.randbytes(12_000_000)
    assert pump(relay, far_source, far_sink, data, noise) == data
    assert relay.received == relay.sent == len(data)
    assert relay.kept == (0, 0)
    relay.close()
    for each in (near_source, far_source, near_sink, far_sink):
        each.close()


def test_a_stream_that_proves_long_goes_through_a_pipe() -> None:
    near_source, far_source = connected()
    near_sink, far_sink = connected()
    scope = StatsScope("server", (), 1)
    relay = Relay(near_source.fileno(), near_sink.fileno(), scope)
    far_source.setblocking(False)
    far_sink.setblocking(False)
    sent = received = 0
    for _ in range(100_000):
        with contextlib.suppress(BlockingIOError):
            sent += far_source.send(bytes(1 << 20))
        relay.readable()
        relay.unblocked()
        relay.move()
        with contextlib.suppress(BlockingIOError):
            received += len(far_sink.recv(1 << 22))
        if relay.bulk >= BULK_THRESHOLD:
            break
    assert relay.bulk >= BULK_THRESHOLD
    assert scope.read()["bulk_streams"] == 1
    assert SERVER_BULK_STREAMS == 2
    relay.close()
    for each in (near_source, far_source, near_sink, far_sink):
        each.close()
