"""Whether the data path waits for the GIL: latencies while a Python thread holds it, over those without."""

import statistics
from pathlib import Path

from benchmarks.errors import BenchmarkError
from benchmarks.measure.requests import finish_wrk, start_wrk, whole
from benchmarks.measure.trial import Proxy, Trial
from benchmarks.peers.hopmesh import HopmeshWithHog

_PAIRS = 3


def gil_hold(trial: Trial) -> dict[str, float]:
    """Return the ratio of p99 with the GIL held to p99 without, and both in µs.

    Both are measured in one process, in short windows that take turns; each ratio is of two neighbours, and
    the median of them is returned.
    """
    switch = trial.directory / "gil-switch"
    origin = trial.origin("http")
    proxy = trial.proxy(origin, HopmeshWithHog(switch))
    _latencies(trial, proxy, 1)
    pairs = []
    for index in range(_PAIRS):
        # Which of the two comes first alternates, so that a drift of the machine favours neither.
        order = (False, True) if index % 2 == 0 else (True, False)
        pairs.append({held: _window(trial, proxy, switch, held) for held in order})
    stall_ms = _proof(switch)
    return {
        "p99_ratio": statistics.median(pair[True]["p99_us"] / pair[False]["p99_us"] for pair in pairs),
        "p50_ratio": statistics.median(pair[True]["p50_us"] / pair[False]["p50_us"] for pair in pairs),
        "p99_held_us": statistics.median(pair[True]["p99_us"] for pair in pairs),
        "p99_free_us": statistics.median(pair[False]["p99_us"] for pair in pairs),
        "python_stall_ms": stall_ms,
    }


def _window(trial: Trial, proxy: Proxy, switch: Path, held: bool) -> dict[str, float]:
    if held:
        switch.touch()
    try:
        return _latencies(trial, proxy, trial.seconds)
    finally:
        switch.unlink(missing_ok=True)


def _latencies(trial: Trial, proxy: Proxy, seconds: float) -> dict[str, float]:
    load = start_wrk(trial, proxy, seconds)
    return finish_wrk(load, whole(seconds))


def _proof(switch: Path) -> float:
    """Return the longest stall (ms) that a Python thread saw.

    Raises BenchmarkError when the GIL was not held: then the other figures prove nothing.
    """
    path = switch.with_suffix(".held")
    if not path.exists():
        raise BenchmarkError("the thread that was to hold the GIL never did: see benchmarks/tools/gil_hog.py")
    held, stall_ms = path.read_text().split()
    if float(stall_ms) < 90:
        raise BenchmarkError(f"the GIL was held {held} times, but no thread stalled over {stall_ms} ms")
    return float(stall_ms)
