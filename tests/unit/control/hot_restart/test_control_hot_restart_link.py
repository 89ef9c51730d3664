"""The link between two processes: messages whole, descriptors with them, and an end that hides nothing."""

from __future__ import annotations

import asyncio
import os
import socket
from collections.abc import Callable, Coroutine, Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
import uvloop

from mesh_core.control.hot_restart.link import (
    DESCRIPTORS_LIMIT,
    MESSAGE_LIMIT_BYTES,
    Link,
    LinkEndedError,
    RestartError,
    link_pair,
    received,
)
from mesh_core.control.hot_restart.messages import (
    Begin,
    End,
    Failed,
    Go,
    Message,
    Serving,
    Socket,
    Told,
    decode,
    encode,
)
from mesh_core.control.hot_restart.passing import receive

Both = Callable[[Callable[[Link, socket.socket], Coroutine[Any, Any, None]]], None]
BEGIN = Begin(1, "0", 1, 0)


@pytest.fixture
def both() -> Iterator[Both]:
    """Run something with a link and the bare other end; nothing is left open."""
    uvloop.new_event_loop().close()
    before = len(list(Path("/proc/self/fd").iterdir()))

    def run(work: Callable[[Link, socket.socket], Coroutine[Any, Any, None]]) -> None:
        async def both_ends() -> None:
            ours, theirs = link_pair()
            link = Link(ours)
            with theirs:
                async with asyncio.timeout(20):
                    await work(link, theirs)
            link.close()
            assert link.closed

        uvloop.run(both_ends())

    yield run
    assert len(list(Path("/proc/self/fd").iterdir())) == before


@pytest.mark.parametrize("message", [BEGIN, Socket("listener", 7, ("a", "b"), "1.2.3.4:5", (6, 7)), Told("stop")])
def test_messages_go_round(message: Message) -> None:
    assert decode(encode(message)) == message


def test_descriptors_travel(both: Both) -> None:
    """As many as a message takes; none of them is open in a program that is started."""

    async def work(link: Link, theirs: socket.socket) -> None:
        other = Link(theirs)
        with socket.socket() as passed:
            await link.send(End(), [passed.fileno()] * DESCRIPTORS_LIMIT)
            inode = os.fstat(passed.fileno()).st_ino
        message, sockets = await other.receive()
        assert message == End()
        assert [os.fstat(each.fileno()).st_ino for each in sockets] == [inode] * DESCRIPTORS_LIMIT
        assert not any(os.get_inheritable(each.fileno()) for each in sockets)
        for each in sockets:
            each.close()

    both(work)


def test_a_reader_that_is_slow(both: Both) -> None:
    """The sender waits, and loses nothing."""

    async def work(link: Link, theirs: socket.socket) -> None:
        count = 200
        sending = asyncio.ensure_future(_send(link, count))
        await asyncio.sleep(0)
        other = Link(theirs)
        for number in range(count):
            assert await other.receive() == (Serving([number] * 5000), [])
        await sending

    async def _send(link: Link, count: int) -> None:
        for number in range(count):
            await link.send(Serving([number] * 5000))

    both(work)


def test_the_end(both: Both) -> None:
    """What was said before is heard, even when the other side has left something unread."""

    async def work(link: Link, theirs: socket.socket) -> None:
        await link.send(Go())
        other = Link(theirs)
        assert other.say(Failed("why"))
        other.close()
        assert await link.receive() == (Failed("why"), [])
        assert await link.receive() == (None, [])
        assert not link.say(Go())
        with pytest.raises(LinkEndedError):
            await link.send(Go())

    both(work)


@pytest.mark.parametrize(
    "data",
    [b"\xc1", b"x" * 100, msgspec.msgpack.encode({"type": "unknown"}), b"\x80" * (MESSAGE_LIMIT_BYTES + 1)],
)
def test_nonsense(data: bytes, both: Both) -> None:
    """It is refused, the descriptors that came with it are closed, and the next message is heard."""

    async def work(link: Link, theirs: socket.socket) -> None:
        with socket.socket() as passed:
            socket.send_fds(theirs, [data], [passed.fileno()])
        with pytest.raises(RestartError, match="makes no sense"):
            await link.receive()
        theirs.send(data)
        theirs.send(encode(Told("reload")))
        theirs.shutdown(socket.SHUT_WR)
        assert [message async for message in received(link)] == [Told("reload")]

    both(work)


@pytest.mark.parametrize(
    "messages",
    [
        [],
        [Go()],
        [Socket("admin.address", address="127.0.0.1:1")],
        [Socket("listener", 1, ("a",), "nonsense")],
        [Socket("listener", 1, ("a",), "127.0.0.1:1"), Told("stop")],
    ],
)
def test_passing_that_breaks_off(messages: list[Message], both: Both) -> None:
    """At any message, or with one that makes no sense: everything that has come is closed."""

    async def work(link: Link, theirs: socket.socket) -> None:
        with socket.socket() as passed:
            for message in messages:
                several = [passed.fileno()] * (2 if isinstance(message, Socket) else 0)
                socket.send_fds(theirs, [encode(message)], several)
        theirs.shutdown(socket.SHUT_WR)
        with pytest.raises(RestartError):
            await receive(link, BEGIN)

    both(work)
