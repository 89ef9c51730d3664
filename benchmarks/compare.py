"""Compares a run with a baseline in a way that survives another machine: by ratios to the same peers."""

from dataclasses import dataclass

from benchmarks.bars import PRODUCT
from benchmarks.ratios import Spread, paired_ratio
from benchmarks.results import Results
from benchmarks.scenarios import SCENARIOS, Scenario

_FEWEST_ROUNDS = 3  # with fewer, two ranges often miss each other by chance


@dataclass(frozen=True)
class Change:
    """hopmesh's ratio to one peer in one scenario, in the baseline and now; lower is better."""

    scenario: str
    what: str
    then: Spread
    now: Spread

    @property
    def ratio(self) -> float:
        return self.now.median / self.then.median

    @property
    def word(self) -> str:
        """A change counts only when the ranges of all rounds, then and now, do not touch."""
        if min(self.then.count, self.now.count) < _FEWEST_ROUNDS:
            return "too few rounds"
        if self.now.low > self.then.high:
            return "WORSE"
        if self.now.high < self.then.low:
            return "better"
        return "ranges overlap"


def compare(then: Results, now: Results) -> list[Change]:
    """Return every ratio that both runs have; figures that hopmesh has alone are compared themselves."""
    changes = []
    for scenario in SCENARIOS.values():
        for what, old, new in _pairs(scenario, then, now):
            if old and new and old.median > 0:
                changes.append(Change(scenario.name, what, old, new))
    return changes


def _pairs(scenario: Scenario, then: Results, now: Results):
    label, key = scenario.headline.label, scenario.headline.key
    if scenario.only:
        own = [Spread.of(run.by_round(scenario.name, PRODUCT, key).values()) for run in (then, now)]
        yield label, *own
        return
    for peer in now.proxies:
        if peer == PRODUCT:
            continue
        ratios = [
            paired_ratio(run.by_round(scenario.name, PRODUCT, key), run.by_round(scenario.name, peer, key))
            for run in (then, now)
        ]
        yield f"{label} over {peer}'s", *ratios
