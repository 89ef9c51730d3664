"""Endpoint changes to effect in real proxies: the endpoint of a service is exchanged again and again."""

import asyncio
import time
from contextlib import AsyncExitStack
from pathlib import Path

from benchmarks.control_plane.outcome import quantile
from benchmarks.control_plane.plane import Plane
from benchmarks.control_plane.sidecars import Origin, Sidecar, ask, service
from benchmarks.survival.figure import Figure

PROXIES = 3
_SECONDS_TO_SYNC = 30.0
_HOST = "target"


async def effect(folder: Path, cpus: frozenset[int], changes: int) -> list[Figure]:
    """The proxies' acknowledgement says that a change is in effect in every worker; a request through each, right
    behind it, must be answered by the new endpoint."""
    committed, whole, wrong = [], [], 0
    async with AsyncExitStack() as stack:
        plane = stack.enter_context(Plane(folder, cpus))
        origins = [await stack.enter_async_context(Origin(name, folder)) for name in ("one", "other")]
        nodes = [f"client-{number}" for number in range(PROXIES)]
        sidecars = [stack.enter_context(Sidecar(node, _HOST, plane.channel, folder, cpus)) for node in nodes]
        for sidecar in sidecars:
            await asyncio.to_thread(sidecar.wait)
        await asyncio.to_thread(plane.apply, service(_HOST, origins[1]))
        await plane.all_in_sync(PROXIES, _SECONDS_TO_SYNC)
        for number in range(changes):
            origin = origins[number % 2]
            begun = time.perf_counter()
            reply = await asyncio.to_thread(plane.apply, service(_HOST, origin))
            whole.append((time.perf_counter() - begun) * 1000)
            assert reply.propagation is not None
            committed.append(reply.propagation.elapsed_ms)
            wrong += reply.propagation.acknowledged != PROXIES
            answers = await asyncio.gather(*(ask(sidecar.path, _HOST) for sidecar in sidecars))
            wrong += sum(answer != origin.name for answer in answers)
    return [
        Figure("changes", changes, None),
        Figure("not in effect when acknowledged", wrong, 0),
        Figure("ms from commit to effect in all three, p50", quantile(committed, 50), None, digits=1),
        Figure("ms from commit to effect in all three, p99", quantile(committed, 99), 20, digits=1),
        Figure("ms of the whole request to the API, p50", quantile(whole, 50), None, digits=1),
        Figure("ms of the whole request to the API, p99", quantile(whole, 99), None, digits=1),
    ]
