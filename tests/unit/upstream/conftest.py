"""Hypothesis without its clocks, and helpers that are importable by their names."""

import sys
from pathlib import Path

from hypothesis import HealthCheck, settings

sys.path.insert(0, str(Path(__file__).parent))
settings.register_profile("no-clocks", max_examples=50, deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("no-clocks")
