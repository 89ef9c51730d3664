"""Figures against their bars, as a table, JSON and a picture."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from benchmarks import machine
from benchmarks.picture import available
from benchmarks.survival.figure import Figure


@dataclass(frozen=True)
class Point:
    """What one endpoint change has cost the control plane, in a mesh of that size."""

    services: int
    concerned: int
    cpu_ms: float


def quantile(values: Sequence[float], percent: float) -> float:
    """Return the smallest value that so many per cent do not exceed; NaN of none."""
    ordered = sorted(values)
    if not ordered:
        return float("nan")
    return ordered[max(0, -(-int(len(ordered) * percent) // 100) - 1)]


def growth_figures(points: Sequence[Point], concerned: int) -> list[Figure]:
    """Return the points, and how much dearer a change is in the largest mesh than in the smallest."""
    by_size = [point for point in points if point.concerned == concerned]
    figures = [
        Figure(f"ms of CPU a change, {each.services:,} services, {each.concerned} proxies concerned", each.cpu_ms, None,
               digits=2)
        for each in points
    ]
    if len(by_size) > 1 and by_size[0].cpu_ms:
        times = by_size[-1].services / by_size[0].services
        ratio = by_size[-1].cpu_ms / by_size[0].cpu_ms
        figures.append(Figure(f"a change in a mesh {times:g} × as large costs … × as much", ratio, 2, digits=2))
    return figures


def save(directory: Path, outcome: Mapping[str, Sequence[Figure]], points: Sequence[Point]) -> list[Path]:
    """Write control-plane.json and, where there are points and matplotlib, a picture; return their paths."""
    directory.mkdir(parents=True, exist_ok=True)
    path = directory / "control-plane.json"
    path.write_text(json.dumps({
        "machine": machine.describe(),
        "scenarios": {name: [{**asdict(each), "passed": each.passed} for each in found]
                      for name, found in outcome.items()},
        "growth": [asdict(point) for point in points],
    }, indent=1))
    return [path, *(_draw(directory, points) if points and available() else [])]


def _draw(directory: Path, points: Sequence[Point]) -> list[Path]:
    import matplotlib  # noqa: PLC0415 - optional: extra `bench`

    matplotlib.use("Agg")
    from matplotlib import pyplot  # noqa: PLC0415

    largest = max(point.services for point in points)
    concerned = min((point.concerned for point in points if point.services < largest), default=points[0].concerned)
    figure, (left, right) = pyplot.subplots(1, 2, figsize=(10, 3.6))
    panels = (
        (left, "services", f"services in the mesh ({concerned} proxies concerned)",
         [point for point in points if point.concerned == concerned]),
        (right, "concerned", f"proxies concerned ({largest:,} services)",
         [point for point in points if point.services == largest]),
    )
    for axis, name, label, shown in panels:
        axis.plot([getattr(point, name) for point in shown], [point.cpu_ms for point in shown], "o-", color="#d9480f")
        axis.set_xlabel(label)
        axis.set_xlim(left=0)
        axis.set_ylim(0, 1.15 * max(point.cpu_ms for point in shown) or None)
        axis.grid(alpha=0.3)
    left.set_ylabel("control plane: ms of CPU a change")
    figure.suptitle("What one endpoint change costs the control plane; lower is better", fontsize=11)
    figure.tight_layout()
    paths = [directory / "control-plane.png", directory / "control-plane.svg"]
    for path in paths:
        figure.savefig(path, dpi=120)
    pyplot.close(figure)
    return paths
