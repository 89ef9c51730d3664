"""What tests of the control plane share."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.running_api import RunningApi


@pytest.fixture
def api(tmp_path: Path) -> Iterator[RunningApi]:
    """An API with an empty store, on a Unix socket."""
    with RunningApi(tmp_path) as running:
        yield running
