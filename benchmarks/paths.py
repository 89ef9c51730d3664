"""Where things lie in the repository."""

from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
SOURCES = ROOT / "benchmarks"
BUILD = ROOT / "build" / "bench"
ENVOY_VENV = ROOT / "build" / "envoy-venv"
RESULTS = SOURCES / "results"
