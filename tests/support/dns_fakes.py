"""A resolver that says what a test tells it to, and a clock that stands still until the test lets it go on."""

from __future__ import annotations

import asyncio
import socket

from mesh_core.control.dns.resolver import Answer, LookUpFailed

A, AAAA = socket.AF_INET, socket.AF_INET6


class FakeResolver:
    """`answers`: by name and family what is found; what is missing fails."""

    def __init__(self) -> None:
        self.answers: dict[tuple[str, int], Answer] = {}
        self.asked: list[tuple[str, int]] = []

    def set(self, name: str, *addresses: str, family: int = A, ttl: int | None = 60) -> None:
        self.answers[name, family] = Answer(addresses, ttl)

    def fail(self, name: str, family: int = A) -> None:
        self.answers.pop((name, family), None)

    async def look_up(self, name: str, family: int) -> Answer:
        self.asked.append((name, family))
        try:
            return self.answers[name, family]
        except KeyError:
            raise LookUpFailed("SERVFAIL") from None


class FakeClock:
    """`sleep` in place of asyncio's: nobody wakes before `wake`."""

    def __init__(self) -> None:
        self.delays: list[float] = []
        self._sleepers: list[asyncio.Future[None]] = []

    async def sleep(self, seconds: float) -> None:
        self.delays.append(seconds)
        self._sleepers.append(asyncio.get_running_loop().create_future())
        await self._sleepers[-1]

    async def wake(self) -> float:
        """Wait until somebody sleeps, end the sleep of all, and wait until they sleep again.

        Returns for how long the last of them wants to now.
        """
        await self.settle()
        sleepers, self._sleepers = self._sleepers, []
        count = len(self.delays) + len(sleepers)
        for each in sleepers:
            each.set_result(None)
        while len(self.delays) < count:
            await asyncio.sleep(0)
        return self.delays[-1]

    async def settle(self, sleepers: int = 1) -> float:
        """Wait until so many sleep; returns for how long the last of them wants to."""
        while len(self._sleepers) < sleepers:
            await asyncio.sleep(0)
        return self.delays[-1]
