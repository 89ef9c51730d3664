"""What these tests start from."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.support.http_service import HttpService, Settings
from tests.support.running_proxy import RunningProxy


@pytest.fixture
def service(start: Callable[[Settings], RunningProxy], tmp_path: Path) -> Iterator[HttpService]:
    """Origins, clients and a proxy that is still to be started."""
    with HttpService(start, tmp_path) as made:
        yield made
