"""The benchmarks of the control plane, small: that all of it happens, however long it takes."""

from __future__ import annotations

import os
from pathlib import Path

import uvloop

from benchmarks.control_plane.effect import effect
from benchmarks.control_plane.growth import growth
from benchmarks.control_plane.plan import Shape
from benchmarks.control_plane.scale import scale
from benchmarks.survival.figure import Figure

CPUS = frozenset(os.sched_getaffinity(0))


def by_name(figures: list[Figure]) -> dict[str, float]:
    """What was counted; and what must not be at all is not."""
    assert all(each.passed for each in figures if each.limit == 0)
    return {each.name: each.value for each in figures}


def test_a_mesh_of_twenty(folder: Path) -> None:
    shape = Shape(services=20, proxies=20, endpoints=200)
    found = by_name(uvloop.run(scale(folder, CPUS, shape, 2)))
    assert found["arrivals at proxies"] == found["changes, each by its proxy"] * shape.dials


def test_changes_to_effect(folder: Path) -> None:
    assert by_name(uvloop.run(effect(folder, CPUS, 4)))["not in effect when acknowledged"] == 0


def test_what_a_change_costs(folder: Path) -> None:
    points = uvloop.run(growth(folder, CPUS, (10, 20), 3))
    assert [(each.services, each.concerned) for each in points] == [(10, 10), (20, 1), (20, 10)]
