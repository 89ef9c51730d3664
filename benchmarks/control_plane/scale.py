"""A large mesh of light proxies: endpoints that change all the time, and a control plane that is killed."""

import asyncio
import statistics
import time
from pathlib import Path

from benchmarks.control_plane.fleet import Fleet
from benchmarks.control_plane.outcome import quantile
from benchmarks.control_plane.plan import Shape
from benchmarks.control_plane.plane import Plane
from benchmarks.control_plane.sidecars import Load, Origin, Sidecar, service
from benchmarks.survival.figure import Figure

_SECONDS_TO_SYNC = 120.0
_LEFT_SECONDS = 5.0
_LIVE = "live"

PROBE = """
apiVersion: v1
kind: Service
metadata: {{name: fan-10}}
spec: {{selector: {{app: probe}}, ports: [{{name: http, port: 80, targetPort: http}}]}}
---
apiVersion: networking.istio.io/v1
kind: WorkloadEntry
metadata: {{name: probe}}
spec: {{address: 10.250.0.{number}, labels: {{app: probe}}, ports: {{http: 8080}}}}
"""


async def scale(folder: Path, cpus: frozenset[int], shape: Shape, seconds: float) -> list[Figure]:
    """One per cent of the endpoints change each second for so many seconds; then the control plane is killed twice.

    Times of changes are from the registration, as its proxy sends it, to the acknowledgement, as each proxy concerned
    sends that; once a second a WorkloadEntry is applied besides, and timed by the control plane, from its commit to the
    last acknowledgement.
    """
    with Plane(folder, cpus) as plane:
        origin = Origin("live", folder)
        await asyncio.to_thread(plane.apply, f"{shape.manifests()}---{service(_LIVE, origin)}", wait=False)
        plans = shape.plans()
        async with origin, Fleet(plans, plane.channel) as fleet:
            begun = time.monotonic()
            await plane.all_in_sync(len(plans), _SECONDS_TO_SYNC)
            joined = time.monotonic() - begun
            cpu_ms = plane.cpu_ms()
            applied = await _change(fleet, plane, shape, seconds)
            busy = (plane.cpu_ms() - cpu_ms) / (seconds * 10)
            memory, most = plane.memory_mib()
            arrivals = sorted(fleet.milliseconds)
            behind = fleet.behind()
            with Sidecar("live", _LIVE, plane.channel, folder, cpus) as sidecar:
                await asyncio.to_thread(sidecar.wait)
                await plane.all_in_sync(len(plans) + 1, _SECONDS_TO_SYNC)
                async with Load(sidecar, origin, _LIVE) as load:
                    resumed = await _resync(plane, fleet, forget=False)
                    full = await _resync(plane, fleet, forget=True)
            after = plane.memory_mib()[1]
    return [
        Figure("changes, each by its proxy", seconds * shape.endpoints / 100, None),
        Figure("arrivals at proxies", len(arrivals), None),
        Figure("proxies that lack a change at the end", behind, 0),
        Figure("ms from change to ack, p50", quantile(arrivals, 50), None, digits=1),
        Figure("ms from change to ack, p99", quantile(arrivals, 99), 1000, digits=1),
        Figure("ms from commit to last ack, applied meanwhile, p50", statistics.median(applied), None, digits=1),
        Figure("ms from commit to last ack, applied meanwhile, most", max(applied), 1000, digits=1),
        Figure("control plane: % of a CPU meanwhile", busy, None),
        Figure("control plane: MiB resident, at the end", memory, None),
        Figure("control plane: MiB resident, most", max(most, after), 300),
        Figure("s until all have joined, first start", joined, None, digits=1),
        Figure("s until all are in sync after kill -9, with what they hold", resumed, 15, digits=1),
        Figure("s until all are in sync after kill -9, holding nothing", full, 15, digits=1),
        Figure("requests through a real proxy meanwhile", load.requests, None),
        Figure("requests through a real proxy meanwhile that failed", load.failed, 0),
    ]


async def _change(fleet: Fleet, plane: Plane, shape: Shape, seconds: float) -> list[float]:
    """Change endpoints, one after the other over all proxies; the milliseconds of what was applied meanwhile."""
    interval = 100 / shape.endpoints
    applying = asyncio.create_task(_apply(plane, seconds))
    begun = time.monotonic()
    each = shape.endpoints // shape.proxies
    for number in range(int(seconds / interval)):
        fleet.change(f"proxy-{number % shape.proxies:04}", number // shape.proxies % each)
        await asyncio.sleep(max(0.0, begun + (number + 1) * interval - time.monotonic()))
    applied = await applying
    deadline = time.monotonic() + _LEFT_SECONDS
    while fleet.behind() and time.monotonic() < deadline:
        await asyncio.sleep(0.05)
    return applied


async def _apply(plane: Plane, seconds: float) -> list[float]:
    found = []
    begun = time.monotonic()
    number = 0
    while time.monotonic() - begun < seconds:
        number += 1
        reply = await asyncio.to_thread(plane.apply, PROBE.format(number=number % 250 + 1))
        assert reply.propagation is not None
        found.append(reply.propagation.elapsed_ms)
        await asyncio.sleep(max(0.0, begun + number - time.monotonic()))
    return found


async def _resync(plane: Plane, fleet: Fleet, *, forget: bool) -> float:
    """Kill the control plane and start it again; the seconds from its start until all have what they should have."""
    await asyncio.to_thread(plane.kill)
    if forget:
        for proxy in fleet.proxies.values():
            proxy.forget()
    begun = time.monotonic()
    await asyncio.to_thread(plane.start)
    # And the one that is real.
    await plane.all_in_sync(len(fleet.proxies) + 1, _SECONDS_TO_SYNC)
    return time.monotonic() - begun
