"""Work that is done to its end, even if who asked for it is cancelled. Control thread."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any

import structlog

from mesh_core.config import ConfigError

log = structlog.get_logger("hopmesh")


class WholeTasks:
    """The tasks that are under way. Each may raise ConfigError, a refusal."""

    def __init__(self) -> None:
        self._tasks: set[asyncio.Task[None]] = set()

    def begin(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        """Do it; nobody need wait."""
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    async def whole(self, work: Coroutine[Any, Any, None]) -> None:
        """Do it and wait for its end. Cancelled, it goes on all the same."""
        task = self.begin(work)
        try:
            await asyncio.shield(task)
        except asyncio.CancelledError:
            task.add_done_callback(_take_result)
            raise

    async def ended(self) -> None:
        """Wait until none is under way."""
        await asyncio.gather(*self._tasks, return_exceptions=True)


def _take_result(task: asyncio.Task[None]) -> None:
    """Nobody waits for it any more: a refusal concerns nobody, anything else is an error."""
    error = None if task.cancelled() else task.exception()
    if error is not None and not isinstance(error, ConfigError):
        log.error("a change failed", exc_info=error)
