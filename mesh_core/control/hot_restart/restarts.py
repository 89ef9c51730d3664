"""All that a process does about hot restarts: from the one that it takes over from to the one that takes over from it.

Control thread.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Coroutine, Mapping
from typing import Any, Protocol

import structlog

from mesh_core._version import __version__
from mesh_core.control.control_server import ControlServer
from mesh_core.control.hot_restart.children import Children
from mesh_core.control.hot_restart.keeper import Keeper
from mesh_core.control.hot_restart.link import Link, RestartError, received
from mesh_core.control.hot_restart.messages import PROTOCOL, Begin, InCharge, Leaving, Order, Told
from mesh_core.control.hot_restart.passing import Passed
from mesh_core.control.hot_restart.predecessor import Predecessor
from mesh_core.control.hot_restart.successor import Successor
from mesh_core.control.proxy import Proxy

DRAINING_LIMIT = 8
"""Processes that may drain at one time: each has memory of its own."""

log = structlog.get_logger("hopmesh")


class Host(Protocol):
    """The process, as far as a hot restart is concerned."""

    proxy: Proxy
    changing: asyncio.Lock
    """Held while the configuration changes, and while another process is about to take over."""
    stopping: asyncio.Event
    """Set when the process is to drain and end."""

    @property
    def servers(self) -> Mapping[str, ControlServer]:
        """By the field of the configuration that has their address."""

    @property
    def restart_timeout_ms(self) -> int:
        """How long a new process may take to be ready."""

    def obey(self, order: Order) -> None:
        """Do what is ordered, or pass it on."""


class Restarts:
    """The predecessor, the successor and the keeper of one process, as far as it has them."""

    def __init__(self, host: Host, predecessor: Predecessor | None) -> None:
        self._host = host
        self._children = Children()
        self._predecessor = predecessor
        self._draining_before = 0
        self._keeper_link: Link | None = None
        self._hearing: asyncio.Task[None] | None = None
        self._drained: asyncio.Task[None] | None = None
        self._under_way = False
        self._settling = False
        self._deferred: list[Order] = []
        self._successor: Successor | None = None
        self._keeper: Keeper | None = None
        self._keeping: asyncio.Task[int] | None = None
        self._stop_passed_on = False
        self._tasks: set[asyncio.Task[Any]] = set()

    def watch(self) -> None:
        """Begin to notice processes that end."""
        self._children.watch()

    def _task(self, work: Coroutine[Any, Any, Any]) -> asyncio.Task[Any]:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    # --- taking over ---

    async def receive(self) -> Passed | None:
        """What the predecessor passes on; None without one. Raises RestartError."""
        if self._predecessor is None:
            return None
        passed = await self._predecessor.receive()
        self._draining_before = passed.begin.draining
        if passed.keeper is not None:
            self._keeper_link, passed.keeper = Link(passed.keeper), None
        return passed

    async def ready(self) -> None:
        """All that can fail is done: wait until the predecessor, if there is one, wants to be taken over from.

        Raises RestartError.
        """
        if self._predecessor is not None:
            await self._predecessor.ready()

    def serving(self) -> None:
        """This process accepts: it is in charge."""
        if self._predecessor is None:
            return
        for server in self._host.servers.values():
            server.own()
        self._predecessor.serving(self._host.proxy.own_sockets())
        self._drained = self._task(self._predecessor.drained(self._on_draining))
        if self._keeper_link is not None:
            self._keeper_link.say(InCharge(os.getpid()))
            self._hear_keeper()

    def _on_draining(self, count: int) -> None:
        self._draining_before = count
        if self._successor is not None:
            self._successor.tell_draining(1 + count)

    def _hear_keeper(self) -> None:
        if self._keeper_link is not None:
            self._hearing = self._task(self._obey_keeper(self._keeper_link))

    async def _obey_keeper(self, link: Link) -> None:
        async for message in received(link):
            if isinstance(message, Told):
                self._host.obey(message.order)
        log.error("the process that was started first is gone: this one follows it")
        self._host.obey("stop")

    # --- being taken over from ---

    async def restart(self) -> int:
        """Have a new process take over; its process id. Raises RestartError: then this one goes on as before."""
        if self._under_way or self._successor is not None:
            raise RestartError("another restart is under way")
        self._under_way = True
        try:
            # A reload that has begun ends first; one that comes now is for whoever is in charge then.
            async with self._host.changing:
                return await self._restart()
        except (RestartError, OSError) as error:
            log.error("restart failed", reason=str(error))
            raise RestartError(str(error)) from error
        finally:
            self._under_way = False

    async def _restart(self) -> int:
        self._refuse_if_draining()
        if self._draining_before >= DRAINING_LIMIT:
            raise RestartError(f"{DRAINING_LIMIT} processes of earlier restarts drain: wait, or lower drain_timeout_ms")
        keeper = Keeper(self._children) if self._keeper_link is None else None
        successor = None
        self._host.proxy.share_sockets(True)
        try:
            successor = Successor(self._children)
            log.info("restarting", pid=successor.pid)
            await self._until_ready(successor, keeper)
            taken_over = await self._settle(successor)
        except BaseException:
            if keeper is not None:
                keeper.close()
            if successor is not None:
                await successor.kill()
            self._host.proxy.share_sockets(False)
            self._host.proxy.keep_sockets()
            self._defer_no_more()
            raise
        self._successor, self._keeper = successor, keeper
        # It may have become fewer since `_begin`.
        self._on_draining(self._draining_before)
        log.info("handed over", pid=successor.pid)
        await self._leave(taken_over)
        return successor.pid

    def _refuse_if_draining(self) -> None:
        if self._host.stopping.is_set() or self._host.proxy.state != "live":
            raise RestartError("the proxy is draining")

    async def _until_ready(self, successor: Successor, keeper: Keeper | None) -> None:
        link = keeper.end if keeper is not None else self._keeper_link
        assert link is not None
        ready = self._task(
            successor.until_ready(
                self._begin(),
                self._host.proxy.listener_sockets,
                self._host.servers,
                link.fileno(),
                self._host.restart_timeout_ms,
            )
        )
        stop = self._task(self._host.stopping.wait())
        try:
            await asyncio.wait((ready, stop), return_when=asyncio.FIRST_COMPLETED)
            self._refuse_if_draining()
            ready.result()
        finally:
            for each in (ready, stop):
                each.cancel()
            await asyncio.gather(ready, stop, return_exceptions=True)

    def _begin(self) -> Begin:
        return Begin(PROTOCOL, __version__, os.getpid(), 1 + self._draining_before)

    async def _settle(self, successor: Successor) -> list[int]:
        self._refuse_if_draining()
        # What is ordered from here on is for whoever is in charge in the end; the keeper's orders wait in its link.
        self._settling = True
        if self._hearing is not None:
            self._hearing.cancel()
        return await successor.take_over()

    def _defer_no_more(self) -> None:
        """It is settled who is in charge."""
        was_settling, self._settling = self._settling, False
        if was_settling and self._successor is None:
            self._hear_keeper()
        deferred, self._deferred = self._deferred, []
        for order in deferred:
            self._host.obey(order)

    async def _leave(self, taken_over: list[int]) -> None:
        assert self._successor is not None
        if self._keeper is not None:
            self._keeping = self._task(self._keeper.keep(self._successor.pid, self._stop_at_once))
        if self._keeper_link is not None:
            self._keeper_link.close()
        self._task(self._successor.hear(self._host.obey))
        self._defer_no_more()
        for server in self._host.servers.values():
            await server.leave()
        self._host.proxy.share_sockets(False)
        await self._host.proxy.drain_listeners(taken_over)
        self._host.stopping.set()

    def _stop_at_once(self) -> None:
        self._host.obey("stop at once")

    # --- orders ---

    def passes_on(self, order: Order) -> bool:
        """Whether an order is not for this process alone to obey, as another one is in charge, or may soon be."""
        if self._settling:
            self._deferred.append(order)
            return True
        if self._successor is None or order == "stop at once":
            return False
        if self._keeper is not None:
            if not self._keeper.tell(order):
                return True
            if order == "stop" and not self._stop_passed_on:
                self._stop_passed_on = True
                return True
        return order in ("reload", "restart")

    def tell_predecessor(self, order: Order) -> None:
        """A process that still drains obeys too."""
        if self._predecessor is not None and self._drained is not None:
            self._predecessor.tell(order)

    # --- the end ---

    async def finish(self) -> int:
        """After the drain: wait for those that still drain, as the keeper also for those in charge; the exit status."""
        if self._drained is not None:
            # Whoever stops those that are in charge reaches the earlier ones by way of the later ones.
            await self._drained
        if self._successor is not None:
            self._successor.close()
        if self._keeping is not None:
            return await self._keeping
        if self._keeper_link is not None:
            self._keeper_link.say(Leaving())
        return 0

    async def close(self) -> None:
        """Give everything back."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if self._keeper_link is not None:
            self._keeper_link.close()
