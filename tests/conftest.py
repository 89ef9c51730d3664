"""What all tests share. Tests import their helpers as `tests.support`, from the top of the repository."""

from __future__ import annotations

import gc
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))


def pytest_collection_finish() -> None:
    """Thousands of tests have the garbage collected, for leaks: what stays to the end is looked through no more."""
    _freeze()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_teardown(item: pytest.Item, nextitem: pytest.Item | None) -> Iterator[None]:
    """So too what a file's tests have left behind in the modules that they use and in pytest's own records."""
    yield
    if nextitem is not None and nextitem.path != item.path:
        _freeze()


def _freeze() -> None:
    gc.collect()
    gc.freeze()
