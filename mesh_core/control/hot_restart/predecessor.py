"""The successor's view of the process that it takes over from. Control thread."""

from __future__ import annotations

import os
import socket
from collections.abc import Callable

from mesh_core.control.hot_restart import passing
from mesh_core.control.hot_restart.children import VARIABLE
from mesh_core.control.hot_restart.link import MESSAGE_LIMIT_BYTES, Link, RestartError, received
from mesh_core.control.hot_restart.messages import (
    PROTOCOL,
    Begin,
    Draining,
    Failed,
    Go,
    Order,
    Ready,
    Serving,
    Told,
)


class Predecessor:
    """The process that started this one to be taken over from."""

    def __init__(self, link: Link) -> None:
        self._link = link
        self._settled = False

    @classmethod
    def from_environment(cls) -> Predecessor | None:
        """The one that started this process for a hot restart; None when it was started otherwise.

        The environment says so once only. Raises RestartError when what it says is not so.
        """
        text = os.environ.pop(VARIABLE, None)
        if text is None:
            return None
        try:
            descriptor = int(text)
            os.set_inheritable(descriptor, False)
            end = socket.socket(fileno=descriptor)
        except (ValueError, OSError) as error:
            raise RestartError(f"{VARIABLE}={text!r} is not set by a hot restart: unset it") from error
        if (end.family, end.type) != (socket.AF_UNIX, socket.SOCK_SEQPACKET):
            end.detach()
            raise RestartError(f"{VARIABLE}={text!r} is not set by a hot restart: unset it")
        end.setblocking(False)
        return cls(Link(end))

    async def receive(self) -> passing.Passed:
        """All that it passes on. Raises RestartError."""
        message, sockets = await self._link.receive()
        for each in sockets:
            each.close()
        if message is None:
            raise RestartError("the process before this one ended before it passed its sockets")
        if not isinstance(message, Begin) or message.protocol != PROTOCOL:
            raise RestartError("the running version passes its sockets in another way: stop it, then start this one")
        return await passing.receive(self._link, message)

    async def ready(self) -> None:
        """Say that all that can fail is done, and wait to be let go. Raises RestartError."""
        self._link.say(Ready())
        message, _ = await self._link.receive()
        if not isinstance(message, Go):
            raise RestartError("the process before this one ended before it was taken over from")

    def serving(self, taken_over: list[int]) -> None:
        """Say that this process accepts."""
        self._settled = True
        self._link.say(Serving(taken_over))

    def failed(self, reason: str) -> None:
        """Say why this process cannot take over, unless it has."""
        if not self._settled:
            self._settled = True
            self._link.say(Failed(reason[: MESSAGE_LIMIT_BYTES // 8]))
            self._link.close()

    def tell(self, order: Order) -> None:
        """While it drains: pass an order on."""
        if not self._link.closed:
            self._link.say(Told(order))

    async def drained(self, on_count: Callable[[int], None]) -> None:
        """Wait until it has drained; `on_count` hears how many processes still drain, when that changes."""
        async for message in received(self._link):
            if isinstance(message, Draining):
                on_count(message.count)
        self._link.close()
        on_count(0)
