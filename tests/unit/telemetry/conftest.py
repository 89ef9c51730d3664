"""What the tests of telemetry share."""

from __future__ import annotations

import gc
from collections.abc import Iterator

import pytest

from mesh_core.runtime.memory import fail_allocations_after_for_test, live_allocations


@pytest.fixture(autouse=True)
def nothing_leaks() -> Iterator[None]:
    """Memory of the compiled core is as much after a test as before it."""
    gc.collect()
    before = live_allocations()
    yield
    fail_allocations_after_for_test(None)
    gc.collect()
    assert live_allocations() == before
