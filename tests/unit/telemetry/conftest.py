"""What the tests of telemetry share."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.support.leaks import allocations_given_back


@pytest.fixture(autouse=True)
def nothing_leaks() -> Iterator[None]:
    """Memory of the compiled core is as much after a test as before it."""
    with allocations_given_back():
        yield
