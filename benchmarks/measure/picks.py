"""What one pick of a load balancer costs by itself."""

import json
import sys

from benchmarks.measure.trial import Measure, Trial
from benchmarks.paths import SOURCES

_SECONDS = 60  # most of them for compiling 10,000 endpoints on a busy machine


def picks(load_balancer: str) -> Measure:
    """Return a measure of that balancer: nanoseconds per pick with 10, 100, 1,000 and 10,000 endpoints."""

    def measure(trial: Trial) -> dict[str, float]:
        load = trial.load([sys.executable, str(SOURCES / "tools" / "picks.py"), load_balancer])
        return json.loads(load.wait(_SECONDS))

    return measure
