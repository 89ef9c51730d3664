"""What these tests start from."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from mesh_core.control.proxy import Mounting
from tests.support.http_service import HttpService, Settings
from tests.support.running_proxy import RunningProxy


@pytest.fixture
def service(
    start: Callable[[Settings], RunningProxy], mounting: Mounting, tmp_path: Path
) -> Iterator[HttpService]:
    """Origins, clients and a proxy that is still to be started; in one mounting it has an access log."""
    with HttpService(start, tmp_path, logs=mounting == "threaded") as made:
        yield made
