"""Waiting for something that another thread will do. A limit ends a test that hangs; it measures nothing."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import TypeVar

LIMIT_S = 20.0
"""Long enough for any machine: only a failure ever waits this long."""

_T = TypeVar("_T")
_NEVER = threading.Event()


def wait_until(condition: Callable[[], _T], what: str, limit_s: float = LIMIT_S) -> _T:
    """Ask `condition` again and again until it is true; returns what it gave. Fails after `limit_s`."""
    pause_s = 0.001
    end = time.monotonic() + limit_s
    while not (value := condition()):
        if time.monotonic() > end:
            raise AssertionError(f"not within {limit_s} s: {what}")
        _NEVER.wait(pause_s)
        pause_s = min(pause_s * 2, 0.02)
    return value
