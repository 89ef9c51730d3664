"""What is left to do for the process that was started first, once another one has taken over. Control thread.

Its id is the one that supervisors and operators know, and the one that a container lives by.
"""

from __future__ import annotations

import asyncio
import contextlib
import ctypes
from collections.abc import Callable

import structlog

from mesh_core.control.hot_restart.children import Children
from mesh_core.control.hot_restart.link import Link, link_pair, received
from mesh_core.control.hot_restart.messages import InCharge, Leaving, Order, Told

PR_SET_CHILD_SUBREAPER = 36
CRASH_STATUS_TIMEOUT_S = 1.0

log = structlog.get_logger("hopmesh")


class Keeper:
    """Passes orders on to the process in charge, and waits for the end of the last one."""

    def __init__(self, children: Children) -> None:
        """Raises OSError when descriptors are exhausted."""
        # Those that later processes start become ours when these end, and with them their exit status.
        ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
        children.adopts = True
        ours, self.end = link_pair()
        self._link = Link(ours)
        self._children = children
        self._in_charge: list[int] = []
        self._orders: list[Order] = []
        self._left = False

    def tell(self, order: Order) -> bool:
        """Pass an order on; False for the same one again in one turn of the loop: so a signal may be reported."""
        if order in self._orders:
            return False
        if not self._orders:
            asyncio.get_running_loop().call_soon(self._tell)
        self._orders.append(order)
        return True

    def _tell(self) -> None:
        for order in self._orders:
            if not self._link.say(Told(order)):
                log.error("the process in charge cannot be told", order=order)
        self._orders = []

    def close(self) -> None:
        """Nobody has taken over."""
        self._link.close()
        self.end.close()

    async def keep(self, pid: int, on_crash: Callable[[], None]) -> int:
        """Stay until the process in charge (first `pid`) has ended, and return its exit status.

        `on_crash` is called when it ends without having been told to.
        """
        self.end.close()
        self._in_charge = [pid]
        await self._follow()
        self._link.close()
        if not self._left:
            status = 1
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(CRASH_STATUS_TIMEOUT_S):
                    status = await self._children.status(self._in_charge[-1])
            log.error("the process in charge has ended by itself", pid=self._in_charge[-1], status=status)
            on_crash()
            return status or 1
        statuses = [await self._children.status(each) for each in self._in_charge]
        return statuses[-1]

    async def _follow(self) -> None:
        """Until the last process that could be in charge has ended."""
        async for message in received(self._link):
            if isinstance(message, InCharge) and message.pid not in self._in_charge:
                left = [each for each in self._in_charge if not self._children.has_ended(each)]
                self._in_charge = [*left, message.pid]
            elif isinstance(message, Leaving):
                self._left = True


