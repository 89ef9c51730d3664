"""What the adversarial HTTP/1 tests share."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from mesh_core.control.proxy import Mounting
from tests.support.http_mesh import HttpMesh
from tests.support.running_proxy import RunningProxy

Settings = dict[str, Any]


@pytest.fixture
def mesh_with(
    start: Callable[[Settings], RunningProxy], mounting: Mounting, tmp_path: Path
) -> Iterator[Callable[..., HttpMesh]]:
    """Make a mesh with more settings of its listener; in one mounting it has an access log."""
    made: list[HttpMesh] = []

    def make(**listener: Any) -> HttpMesh:
        made.append(HttpMesh(start, tmp_path, listener, log=mounting == "threaded"))
        return made[-1]

    yield make
    try:
        for mesh in made:
            mesh.finish()
    finally:
        for mesh in made:
            mesh.close()


@pytest.fixture
def mesh(mesh_with: Callable[..., HttpMesh]) -> HttpMesh:
    """A proxy that sends every request to the origin."""
    return mesh_with()
