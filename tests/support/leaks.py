"""What a process holds, and what it did not give back."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from mesh_core.runtime.memory import fail_allocations_after_for_test, live_allocations
from tests.support.waiting import wait_until


def descriptors() -> dict[str, str]:
    """The open descriptors, and what each is."""
    found = {}
    for each in Path("/proc/self/fd").iterdir():
        try:
            found[each.name] = str(each.readlink())
        except OSError:
            continue  # that of the listing itself
    return found


class LeakCheck:
    """Notes what there is when made; `check` fails when there is more."""

    def __init__(self) -> None:
        self._allocations = live_allocations()
        self._descriptors = descriptors()

    def check(self) -> None:
        """Give everything a moment to go, then fail with what is left."""
        try:
            wait_until(self._clean, "everything given back", limit_s=5)
        except AssertionError:
            allocations = live_allocations() - self._allocations
            more = set(descriptors().items()) - set(self._descriptors.items())
            raise AssertionError(f"left over: {allocations} allocations, descriptors {sorted(more)}") from None

    def _clean(self) -> bool:
        if live_allocations() <= self._allocations and len(descriptors()) <= len(self._descriptors):
            return True
        gc.collect()
        return False


@contextmanager
def allocations_given_back() -> Iterator[None]:
    """Fail when more memory of the compiled core is in use afterwards than before; cycles are collected first."""
    gc.collect()
    before = live_allocations()
    yield
    fail_allocations_after_for_test(None)
    gc.collect()
    assert live_allocations() == before
