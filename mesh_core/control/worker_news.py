"""News from the workers: one descriptor that all of them write to, and waiting for what only they can bring about.

Control thread.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable


class WorkerNews:
    """Listens from `open` to `close`."""

    def __init__(self, heard: Callable[[], None]) -> None:
        """`heard` is called, on the loop, whenever a worker has told something."""
        self.fd = -1
        """What workers write to; -1 while nobody listens."""
        self._heard = heard
        self._came = asyncio.Event()
        self._ended = False

    def open(self, loop: asyncio.AbstractEventLoop) -> None:
        """Listen, on this loop. Raises OSError."""
        self._loop = loop
        self.fd = os.eventfd(0, os.EFD_CLOEXEC | os.EFD_NONBLOCK)
        loop.add_reader(self.fd, self._on_readable)

    async def until(self, condition: Callable[[], bool]) -> None:
        """Wait for a condition that only news from the workers can make true, or until `end`."""
        while not self._ended and not condition():
            self._came.clear()
            await self._came.wait()

    def end(self) -> None:
        """The workers have stopped: nobody waits any more, now or later."""
        self._ended = True
        self._came.set()

    def close(self) -> None:
        """Listen no more; again is allowed."""
        if self.fd >= 0:
            self._loop.remove_reader(self.fd)
            os.close(self.fd)
            self.fd = -1

    def _on_readable(self) -> None:
        os.eventfd_read(self.fd)
        self._came.set()
        self._heard()
