"""What one endpoint change costs the control plane: as the mesh grows, and as more proxies are concerned."""

import asyncio
import time
from collections.abc import Sequence
from pathlib import Path

from benchmarks.control_plane.fleet import Fleet
from benchmarks.control_plane.outcome import Point
from benchmarks.control_plane.plan import Shape, owner
from benchmarks.control_plane.plane import Plane

CONCERNED = 10
"""How many proxies each change concerns, while the mesh grows."""

_SECONDS_TO_SYNC, _IDLE_SECONDS = 120.0, 2.0


async def growth(folder: Path, cpus: frozenset[int], sizes: Sequence[int], changes: int) -> list[Point]:
    """For each number of services, with as many proxies and ten endpoints each: the cost of a change."""
    found = []
    for size in sizes:
        place = folder / f"mesh-{size}"
        place.mkdir()
        shape = Shape(services=size, proxies=size, endpoints=10 * size)
        with Plane(place, cpus) as plane:
            await asyncio.to_thread(plane.apply, shape.manifests(), wait=False)
            plans = shape.plans()
            async with Fleet(plans, plane.channel) as fleet:
                await plane.all_in_sync(len(plans), _SECONDS_TO_SYNC)
                counts = shape.fans() if size == max(sizes) else [CONCERNED]
                idle = await _idle(plane)
                for count in counts:
                    cpu_ms = await _cost(plane, fleet, count, changes, idle)
                    found.append(Point(services=size, concerned=count, cpu_ms=cpu_ms))
    return found


async def _idle(plane: Plane) -> float:
    """Return the milliseconds of a processor that it uses in a second without changes: heartbeats."""
    before = plane.cpu_ms()
    await asyncio.sleep(_IDLE_SECONDS)
    return (plane.cpu_ms() - before) / _IDLE_SECONDS


async def _cost(plane: Plane, fleet: Fleet, concerned: int, changes: int, idle: float) -> float:
    """Return the milliseconds of a processor for one of so many changes, each behind the other."""
    begun, before = time.monotonic(), plane.cpu_ms()
    for _ in range(changes):
        await fleet.arrived(fleet.change(owner(concerned), 0))
    used = plane.cpu_ms() - before - idle * (time.monotonic() - begun)
    return max(0.0, used / changes)
