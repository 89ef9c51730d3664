"""A connection between two of our processes: messages, and the descriptors that come with them. Control thread."""

from __future__ import annotations

import array
import asyncio
import contextlib
import os
import socket
from collections.abc import AsyncIterator, Callable, Sequence

import msgspec
import structlog

from mesh_core.control.hot_restart.messages import Message, decode, encode

MESSAGE_LIMIT_BYTES = 128 * 1024
DESCRIPTORS_LIMIT = 128
"""Of one message; the kernel takes 253."""

log = structlog.get_logger("hopmesh")


class RestartError(Exception):
    """Why a hot restart does not happen, in words for an operator."""


class LinkEndedError(RestartError):
    """The other side of a link has ended."""


def link_pair() -> tuple[socket.socket, socket.socket]:
    """The two ends of a new link. Messages are packets, so each is sent and received whole. Raises OSError."""
    first, second = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    first.setblocking(False)
    second.setblocking(False)
    return first, second


class Link:
    """One end. Of whatever arrives, the descriptors are the receiver's to close."""

    def __init__(self, end: socket.socket) -> None:
        """`end` is non-blocking, and closed with this object."""
        self._end = end

    def close(self) -> None:
        """Let the other side see the end; again is allowed."""
        self._end.close()

    @property
    def closed(self) -> bool:
        """Whether `close` was called."""
        return self._end.fileno() < 0

    def fileno(self) -> int:
        """The descriptor, to be passed on."""
        return self._end.fileno()

    def say(self, message: Message) -> bool:
        """Send a message without waiting; False when it cannot be sent."""
        try:
            self._end.send(encode(message), socket.MSG_NOSIGNAL)
        except OSError:
            return False
        return True

    async def send(self, message: Message, descriptors: Sequence[int] = ()) -> None:
        """Send a message, with at most DESCRIPTORS_LIMIT descriptors. Raises RestartError, LinkEndedError."""
        data = encode(message)
        rights = [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", descriptors))] if descriptors else []
        loop = asyncio.get_running_loop()
        while True:
            try:
                self._end.sendmsg([data], rights, socket.MSG_NOSIGNAL)
                return
            except BlockingIOError:
                await self._until_called(loop.add_writer, loop.remove_writer)
            except (BrokenPipeError, ConnectionResetError) as error:
                raise LinkEndedError("the other process has ended") from error
            except OSError as error:
                raise RestartError(f"the other process cannot be told: {error.strerror}") from error

    async def receive(self) -> tuple[Message | None, list[socket.socket]]:
        """The next message, and the sockets that came with it; None when the other side has ended.

        Raises RestartError for what is no message.
        """
        loop = asyncio.get_running_loop()
        while True:
            try:
                # Not `socket.recv_fds`: on Python 3.11 it drops the flag, and the descriptors would leak into children.
                data, ancillary, flags, _ = self._end.recvmsg(
                    MESSAGE_LIMIT_BYTES, socket.CMSG_SPACE(DESCRIPTORS_LIMIT * 4), socket.MSG_CMSG_CLOEXEC
                )
                break
            except BlockingIOError:
                await self._until_called(loop.add_reader, loop.remove_reader)
            except ConnectionResetError:
                # The other side has ended without having read everything; what it said before comes next.
                continue
            except OSError:
                return None, []
        descriptors = _descriptors(ancillary)
        sockets = _as_sockets(descriptors)
        try:
            if flags & (socket.MSG_TRUNC | socket.MSG_CTRUNC) or len(sockets) < len(descriptors):
                raise RestartError("not every descriptor could be received: too many files are open (ulimit -n)")
            return (decode(data) if data else None), sockets
        except (RestartError, msgspec.MsgspecError) as error:
            for each in sockets:
                each.close()
            raise RestartError(f"a message that makes no sense: {error}") from error

    async def _until_called(
        self, add: Callable[..., None], remove: Callable[[int], object]
    ) -> None:
        called = asyncio.get_running_loop().create_future()
        descriptor = self._end.fileno()
        add(descriptor, _call, called)
        try:
            await called
        finally:
            remove(descriptor)


async def received(link: Link) -> AsyncIterator[Message]:
    """What the other side says, until it has ended. No sockets are expected."""
    while True:
        try:
            message, sockets = await link.receive()
        except RestartError as error:
            log.error("another process cannot be understood", reason=str(error))
            continue
        for each in sockets:
            each.close()
        if message is None:
            return
        yield message


def _call(called: asyncio.Future[None]) -> None:
    if not called.done():
        called.set_result(None)


def _descriptors(ancillary: Sequence[tuple[int, int, bytes]]) -> list[int]:
    numbers = array.array("i")
    for level, kind, data in ancillary:
        if (level, kind) == (socket.SOL_SOCKET, socket.SCM_RIGHTS):
            numbers.frombytes(data[: len(data) - len(data) % numbers.itemsize])
    return list(numbers)


def _as_sockets(descriptors: Sequence[int]) -> list[socket.socket]:
    sockets = []
    for each in descriptors:
        try:
            sockets.append(socket.socket(fileno=each))
        except OSError:
            with contextlib.suppress(OSError):
                os.close(each)
    for each_socket in sockets:
        each_socket.setblocking(False)
    return sockets
