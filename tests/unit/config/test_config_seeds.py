"""Every seed of the configuration's fuzz target still meets what the target asserts."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
SEEDS = sorted((ROOT / "fuzz" / "seeds" / "config").iterdir())

_spec = importlib.util.spec_from_file_location("fuzz_target_config", ROOT / "fuzz" / "targets" / "config.py")
assert _spec is not None and _spec.loader is not None
target = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(target)


@pytest.mark.parametrize("seed", SEEDS, ids=lambda path: path.name)
def test_seed(seed: Path) -> None:
    target.fuzz_one(seed.read_bytes())


def test_there_are_seeds() -> None:
    assert len(SEEDS) > 10
