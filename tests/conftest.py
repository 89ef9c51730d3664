"""What all tests share. Tests import their helpers as `tests.support`, from the top of the repository."""

import gc
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))


def pytest_collection_finish() -> None:
    """What stays to the end is looked through no more: thousands of tests have the garbage collected, for leaks."""
    gc.collect()
    gc.freeze()
