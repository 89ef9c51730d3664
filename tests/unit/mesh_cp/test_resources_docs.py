"""The page on mesh resources says what the types say."""

from __future__ import annotations

from pathlib import Path

import pytest
from resource_tables import table

from mesh_cp.resources.kinds import KINDS, Kind

PAGE = Path(__file__).parents[3] / "docs" / "mesh-resources.md"


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
def test_the_page_has_every_field(kind: Kind) -> None:
    assert f"### {kind.name}\n\n{table(kind)}\n" in PAGE.read_text(encoding="utf-8")
