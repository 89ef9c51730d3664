"""The benchmark of the control plane: its meshes, its figures, what it writes."""

from __future__ import annotations

import json
import math
from collections import Counter
from pathlib import Path

import pytest

from benchmarks.control_plane.outcome import Point, growth_figures, quantile, save
from benchmarks.control_plane.plan import Shape, owner
from benchmarks.survival.figure import Figure
from mesh_cp.resources import load

SHAPE = Shape(services=40, proxies=20, endpoints=200, dials=5)


def test_every_service_is_dialled_and_served_alike() -> None:
    plans = SHAPE.plans()
    proxies = plans[: SHAPE.proxies]
    dialled = Counter(dial.host for plan in proxies for dial in plan.dials)
    assert {name: count for name, count in dialled.items() if name.startswith("fan")} == {"fan-1": 1, "fan-10": 10}
    assert sum(count for name, count in dialled.items() if name.startswith("service")) == 100
    assert {len(plan.workloads) for plan in proxies} == {10}
    assert [plan.node for plan in plans[SHAPE.proxies :]] == [owner(1), owner(10)]
    addresses = [each.listen for plan in plans for each in plan.workloads]
    assert len(set(addresses)) == len(addresses) == 202


def test_its_manifests_are_good() -> None:
    loaded = load(SHAPE.manifests(), "mesh")
    assert not loaded.faults
    assert len(loaded.resources) == 42


@pytest.mark.parametrize(
    ("values", "percent", "expected"),
    [([3, 1, 2], 50, 2), ([1], 99, 1), (list(range(1, 101)), 99, 99), (list(range(1, 201)), 50, 100), ([4, 5], 1, 4)],
)
def test_quantiles(values: list[float], percent: float, expected: float) -> None:
    assert quantile(values, percent) == expected


def test_the_quantile_of_nothing() -> None:
    assert math.isnan(quantile([], 50))


def test_how_the_cost_grows() -> None:
    points = [Point(100, 10, 1.0), Point(1000, 1, 0.5), Point(1000, 10, 1.5), Point(1000, 100, 9.0)]
    figures = growth_figures(points, 10)
    assert (len(figures), figures[-1].value, figures[-1].passed) == (5, 1.5, True)
    assert not growth_figures([Point(100, 10, 1.0), Point(1000, 10, 2.5)], 10)[-1].passed
    assert len(growth_figures(points[2:], 10)) == 2


def test_what_is_written(tmp_path: Path) -> None:
    points = [Point(100, 10, 1.0), Point(1000, 10, 1.5), Point(1000, 100, 9.0)]
    paths = save(tmp_path / "out", {"effect": [Figure("ms", 3.0, 2)]}, points)
    written = json.loads(paths[0].read_text())
    assert written["scenarios"]["effect"][0]["passed"] is False
    assert written["growth"][1] == {"services": 1000, "concerned": 10, "cpu_ms": 1.5}
    assert all(path.stat().st_size for path in paths)
