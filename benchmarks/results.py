"""What a run found: every measurement as it was made, and the figures by proxy and round."""

import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from benchmarks.errors import BenchmarkError

SCHEMA = 1

# Latencies that a proxy adds: the figure minus what `direct` had in the same round. There is no such mean: a
# machine that others disturb moves it further than a proxy does.
_ADDED = {"added_p50_us": "p50_us"}


@dataclass(frozen=True)
class Measurement:
    """One proxy in one scenario in one round: its figures by metric, or why there are none."""

    scenario: str
    proxy: str
    round: int
    figures: dict[str, float] = field(default_factory=dict)
    error: str | None = None


@dataclass
class Results:
    """A whole run. ``proxies`` maps each name to its version, or to why it is missing."""

    started: str
    machine: dict[str, Any]
    settings: dict[str, Any]
    proxies: dict[str, dict[str, str]]
    measurements: list[Measurement] = field(default_factory=list)

    def by_round(self, scenario: str, proxy: str, metric: str) -> dict[int, float]:
        """Return one figure by round, including those that are derived from `direct`'s in the same round."""
        if metric in _ADDED:
            own = self.by_round(scenario, proxy, _ADDED[metric])
            direct = self.by_round(scenario, "direct", _ADDED[metric])
            return {} if proxy == "direct" else {
                number: own[number] - direct[number] for number in own.keys() & direct.keys()}
        return {m.round: m.figures[metric] for m in self._of(scenario, proxy) if metric in m.figures}

    def errors(self, scenario: str, proxy: str) -> list[str]:
        return [m.error for m in self._of(scenario, proxy) if m.error]

    def missing(self, proxy: str) -> str | None:
        return self.proxies.get(proxy, {}).get("missing")

    def has(self, scenario: str) -> bool:
        return any(m.scenario == scenario for m in self.measurements)

    def rounds(self, scenario: str) -> int:
        return len({m.round for m in self.measurements if m.scenario == scenario})

    def _of(self, scenario: str, proxy: str) -> Iterator[Measurement]:
        return (m for m in self.measurements if (m.scenario, m.proxy) == (scenario, proxy))

    def save(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps({"schema": SCHEMA, **asdict(self)}, indent=1) + "\n")


def load(path: Path) -> Results:
    """Read a file that ``Results.save`` wrote; raise BenchmarkError when it is something else."""
    try:
        data = json.loads(path.read_text())
        if data.pop("schema") != SCHEMA:
            raise BenchmarkError(f"{path} has another version of the results' format: make a new baseline")
        data["measurements"] = [Measurement(**item) for item in data["measurements"]]
        return Results(**data)
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise BenchmarkError(f"{path} is not a results file of this benchmark: {error}") from error
