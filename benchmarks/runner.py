"""Runs the rounds: in each one, every scenario has every proxy once, in another order each time."""

import random
import time
from collections.abc import Callable, Sequence

from benchmarks.cpus import assign
from benchmarks.errors import BenchmarkError
from benchmarks.measure.trial import trial
from benchmarks.peers import PEERS
from benchmarks.results import Measurement, Results
from benchmarks.scenarios import Scenario
from benchmarks.table import number

Job = tuple[int, Scenario, str]  # round (from 1), scenario, proxy


def schedule(scenarios: Sequence[Scenario], proxies: Sequence[str], rounds: int) -> list[Job]:
    """Return every measurement in the order in which it is made.

    The order of the proxies is shuffled anew for each scenario and round, by a fixed seed, so that no proxy
    always runs after the same other one.
    """
    shuffler = random.Random(20261122)
    jobs: list[Job] = []
    for number_of_round in range(1, rounds + 1):
        for scenario in scenarios:
            if number_of_round > scenario.most_rounds:
                continue
            able = [p for p in proxies if scenario.fits(p)]
            shuffler.shuffle(able)
            jobs.extend((number_of_round, scenario, proxy) for proxy in able)
    return jobs


def run(jobs: Sequence[Job], results: Results, seconds: float, say: Callable[[str], None]) -> None:
    """Make the measurements, adding each to ``results`` at once and saying a line about it.

    A measurement that fails is recorded with its reason, and the run goes on.
    """
    begun = time.monotonic()
    for done, (number_of_round, scenario, proxy) in enumerate(jobs, start=1):
        measurement = measure(scenario, proxy, number_of_round, seconds)
        results.measurements.append(measurement)
        elapsed = time.monotonic() - begun
        left = elapsed / done * (len(jobs) - done)
        say(f"[{done:>{len(str(len(jobs)))}}/{len(jobs)}] {clock(elapsed)}, {clock(left)} left  "
            f"round {number_of_round}  {scenario.name:<15} {proxy:<8} {_outcome(scenario, measurement)}")


def measure(scenario: Scenario, proxy: str, number_of_round: int, seconds: float) -> Measurement:
    """Make one measurement; everything it starts has been stopped when this returns or raises."""
    try:
        with trial(PEERS[proxy], scenario.mode, assign(scenario.arrangement), seconds=seconds,
                   connections=scenario.connections) as one:
            figures = scenario.measure(one)
    except (BenchmarkError, OSError) as error:
        return Measurement(scenario.name, proxy, number_of_round, error=str(error))
    return Measurement(scenario.name, proxy, number_of_round, figures)


def _outcome(scenario: Scenario, measurement: Measurement) -> str:
    if measurement.error:
        return f"FAILED: {measurement.error}"
    shown = [m for m in scenario.metrics if m.key in measurement.figures][:2]
    return ", ".join(f"{number(measurement.figures[m.key], m.digits)} {m.label}" for m in shown)


def clock(seconds: float) -> str:
    return f"{int(seconds) // 60}m{int(seconds) % 60:02d}s"
