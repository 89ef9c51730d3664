"""What all tests share. Tests import their helpers as `tests.support`, from the top of the repository."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
