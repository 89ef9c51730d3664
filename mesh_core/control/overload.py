"""Overload protection: how near the process is to what it may use, and what it gives up then. Control thread.

Nothing here is on the data path: workers look at one word that `OverloadState.set` writes.
"""

from __future__ import annotations

import asyncio
import errno
import os
import resource
from pathlib import Path

import structlog

from mesh_core.config.schema import Overload
from mesh_core.control.descriptor_limit import descriptor_limit
from mesh_core.snapshot.overload_state import ACTIONS, OverloadState
from mesh_core.telemetry.stats import StatsRegistry, StatsScope

_DESCRIPTORS = Path("/proc/self/fd")

log = structlog.get_logger("hopmesh")


class OverloadMonitor:
    """Measures at an interval, and says when an action begins or ends."""

    def __init__(self, state: OverloadState, registry: StatsRegistry) -> None:
        """`state`: what the workers look at."""
        self._state = state
        self._registry = registry
        self._settings: Overload | None = None
        self._scope: StatsScope | None = None
        self._active: frozenset[str] = frozenset()
        self._timer: asyncio.TimerHandle | None = None

    def follow(self, settings: Overload | None, loop: asyncio.AbstractEventLoop) -> None:
        """Go by these settings from now on; None: nothing is measured and nothing given up."""
        self.close()
        self._settings = settings
        self._scope = None if settings is None else self._registry.scope("overload")
        if settings is None:
            self._decide({})
        else:
            self._measure(settings, loop)

    def close(self) -> None:
        """Measure no more; what is given up stays so."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _measure(self, settings: Overload, loop: asyncio.AbstractEventLoop) -> None:
        self._decide(pressures(settings))
        self._timer = loop.call_later(settings.interval_ms / 1000, self._measure, settings, loop)

    def _decide(self, measured: dict[str, int]) -> None:
        """Begin and end actions by what was measured, in percent."""
        actions = actions_at(self._settings, max(measured.values(), default=0), self._active)
        begun, ended = actions - self._active, self._active - actions
        self._active = actions
        self._state.set(actions)
        for name in sorted(begun, key=ACTIONS.index):
            log.warning("overload protection begins", action=name, **measured)
        for name in sorted(ended, key=ACTIONS.index):
            log.info("overload protection ends", action=name, **measured)
        if self._scope is not None:
            for name, percent in measured.items():
                self._scope.set(name, percent)
            self._scope.set("active_actions", len(actions))
            for _ in begun:
                self._scope.count("entered")


def actions_at(settings: Overload | None, percent: int, active: frozenset[str]) -> frozenset[str]:
    """The actions in force at this pressure, if those of `active` were until now."""
    if settings is None:
        return frozenset()
    return frozenset(
        name
        for name in ACTIONS
        if percent >= getattr(settings, name) - (settings.hysteresis if name in active else 0)
    )


def pressures(settings: Overload) -> dict[str, int]:
    """What is measured, each in percent of what there is, by the names of their gauges."""
    try:
        measured = {"descriptor_pressure": open_descriptors() * 100 // descriptor_limit()}
        if settings.max_memory_bytes is not None:
            measured["memory_pressure"] = resident_bytes() * 100 // settings.max_memory_bytes
    except OSError as error:
        if error.errno not in (errno.EMFILE, errno.ENFILE):
            raise
        # There is none left to measure with.
        return {"descriptor_pressure": 100}
    return measured


def resident_bytes() -> int:
    """Resident memory of the process (proc(5), /proc/pid/statm)."""
    # Without a file object: four times as fast, and this is done again and again.
    descriptor = os.open("/proc/self/statm", os.O_RDONLY | os.O_CLOEXEC)
    try:
        return int(os.read(descriptor, 256).split()[1]) * resource.getpagesize()
    finally:
        os.close(descriptor)


def open_descriptors() -> int:
    """How many descriptors the process has open. Before Linux 6.2 they must be listed."""
    return _DESCRIPTORS.stat().st_size or len(list(_DESCRIPTORS.iterdir()))
