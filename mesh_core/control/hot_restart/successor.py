"""The predecessor's view of the process that it has started to take over. Control thread."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
from collections.abc import Callable, Mapping, Sequence

from mesh_core.control.control_server import ControlServer
from mesh_core.control.hot_restart import passing
from mesh_core.control.hot_restart.children import Children
from mesh_core.control.hot_restart.link import Link, LinkEndedError, RestartError, link_pair, received
from mesh_core.control.hot_restart.messages import Begin, Draining, Failed, Go, Message, Order, Ready, Serving, Told
from mesh_core.control.listener_sockets import ListenerSocket

GO_TIMEOUT_S = 10.0
"""From `go` to `serving`: nothing that can take long happens between."""


class Successor:
    """A process that was started to take over."""

    def __init__(self, children: Children) -> None:
        """Start it. Raises RestartError."""
        self._children = children
        try:
            ours, theirs = link_pair()
        except OSError as error:
            raise RestartError(f"cannot start another process: {error.strerror}") from error
        self._link = Link(ours)
        try:
            with theirs:
                self.pid = children.start(theirs)
        except BaseException:
            ours.close()
            raise

    async def until_ready(
        self,
        begin: Begin,
        listeners: Sequence[ListenerSocket],
        servers: Mapping[str, ControlServer],
        keeper: int,
        timeout_ms: int,
    ) -> None:
        """Pass on every socket and wait until it could take over. Raises RestartError, with its reason."""
        try:
            async with asyncio.timeout(timeout_ms / 1000):
                # One that has ended may have said why.
                with contextlib.suppress(LinkEndedError):
                    await passing.pass_on(self._link, begin, listeners, servers, keeper)
                await self._expect(Ready)
        except TimeoutError:
            raise RestartError(f"the new process was not ready within {timeout_ms} ms") from None

    async def take_over(self) -> list[int]:
        """Let it go; returns the ids of the listeners that it has taken over. Raises RestartError."""
        try:
            async with asyncio.timeout(GO_TIMEOUT_S):
                await self._link.send(Go())
                message = await self._expect(Serving)
        except TimeoutError:
            raise RestartError(f"the new process did not serve within {GO_TIMEOUT_S:.0f} s") from None
        assert isinstance(message, Serving)
        return message.taken_over

    async def _expect(self, kind: type[Message]) -> Message:
        message, sockets = await self._link.receive()
        for each in sockets:
            each.close()
        if isinstance(message, kind):
            return message
        if isinstance(message, Failed):
            raise RestartError(f"the new process cannot take over: {message.reason}")
        if message is None:
            status = await self._children.status(self.pid)
            raise RestartError(f"the new process ended with status {status} before it could take over")
        raise RestartError("the new process spoke out of turn")

    async def kill(self) -> None:
        """End it; nothing that it has done stays."""
        self._link.close()
        if not self._children.has_ended(self.pid):
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.pid, signal.SIGKILL)
            await self._children.status(self.pid)

    async def hear(self, on_told: Callable[[Order], None]) -> None:
        """Once it is in charge: what it wants its predecessor to do."""
        async for message in received(self._link):
            if isinstance(message, Told):
                on_told(message.order)

    def tell_draining(self, count: int) -> None:
        """How many processes still drain, this one included."""
        self._link.say(Draining(count))

    def close(self) -> None:
        """Let it know that this process has drained."""
        self._link.close()
