"""Many light proxies in this process, and how long endpoint changes take to reach those that they concern."""

import asyncio
import time
from collections import defaultdict
from typing import Self

from benchmarks.control_plane.light_proxy import LightProxy
from benchmarks.control_plane.plan import Plan
from benchmarks.errors import BenchmarkError


class Fleet:
    """All proxies of a mesh. Use it as an asynchronous context manager: leaving ends every connection."""

    def __init__(self, plans: list[Plan], path: str):
        """``path``: the control plane's socket for proxies."""
        self.proxies = {plan.node: LightProxy(plan, path, self._arrived) for plan in plans}
        self._tasks: list[asyncio.Task[None]] = []
        self._sent_at: dict[tuple[str, int], float] = {}
        self._weights: dict[str, int] = defaultdict(lambda: 1)
        self._arrivals = asyncio.Event()
        self._left: dict[tuple[str, int], int] = {}
        self.milliseconds: list[float] = []
        """Of each arrival of a change at a proxy, since the change was registered."""
        dialled_by: dict[str, int] = defaultdict(int)
        for plan in plans:
            for dial in plan.dials:
                dialled_by[dial.host] += 1
        self._dialled_by = dialled_by

    async def __aenter__(self) -> Self:
        self._tasks = [asyncio.create_task(proxy.run()) for proxy in self.proxies.values()]
        return self

    async def __aexit__(self, *_: object) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        for proxy in self.proxies.values():
            proxy.close()

    def change(self, node: str, step: int) -> tuple[str, int]:
        """Give the endpoint ``step`` of a proxy another weight; return what the change is known by."""
        proxy = self.proxies[node]
        workload = proxy.workloads[step]
        self._weights[workload.listen] += 1
        what = workload.listen, self._weights[workload.listen]
        self._sent_at[what] = time.perf_counter()
        self._left[what] = self._dialled_by[workload.service]
        proxy.register(step, what[1])
        return what

    async def arrived(self, what: tuple[str, int], seconds: float = 10) -> None:
        """Wait until everybody whom a change concerns has it. Raises BenchmarkError."""
        try:
            async with asyncio.timeout(seconds):
                while self._left[what]:
                    self._arrivals.clear()
                    await self._arrivals.wait()
        except TimeoutError:
            raise BenchmarkError(f"a change has not reached {self._left[what]} proxies in {seconds:g} s") from None

    def behind(self) -> int:
        """Return how many proxies lack the newest weight of an endpoint that they dial."""
        return sum(self._left[address, weight] for address, weight in self._weights.items())

    def _arrived(self, address: str, weight: int) -> None:
        what = address, weight
        if what in self._sent_at:
            self.milliseconds.append((time.perf_counter() - self._sent_at[what]) * 1000)
            self._left[what] -= 1
            if not self._left[what]:
                self._arrivals.set()
