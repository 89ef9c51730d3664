"""Tests that are coroutines: run on uvloop, and ended when they hang."""

from __future__ import annotations

import asyncio
import functools
from collections.abc import Callable, Coroutine
from typing import Any

import uvloop

LIMIT_S = 60.0
"""Only a test that hangs ever takes so long."""


def on_loop(test: Callable[..., Coroutine[Any, Any, None]]) -> Callable[..., None]:
    """Makes a test of a coroutine function; its fixtures stay its parameters."""

    @functools.wraps(test)
    def run(*arguments: Any, **fixtures: Any) -> None:
        async def limited() -> None:
            async with asyncio.timeout(LIMIT_S):
                await test(*arguments, **fixtures)

        uvloop.run(limited())

    return run
