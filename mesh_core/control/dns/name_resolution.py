"""One host name of a cluster, looked up again and again: when, and what is known of it meanwhile."""

from __future__ import annotations

import asyncio
import random
import socket
from collections.abc import Awaitable, Callable
from typing import Final

import structlog

from mesh_core.config import Cluster, HostName
from mesh_core.control.dns.resolver import Answer, LookUpFailed, Resolver
from mesh_core.telemetry.stats import StatsScope

Sleep = Callable[[float], Awaitable[object]]

FAMILIES: Final[dict[str, tuple[int, ...]]] = {
    "v4_only": (socket.AF_INET,),
    "v6_only": (socket.AF_INET6,),
    "v4_preferred": (socket.AF_INET, socket.AF_INET6),
    "auto": (socket.AF_INET6, socket.AF_INET),
    "all": (socket.AF_INET, socket.AF_INET6),
}
"""For each `dns_lookup_family`: what is asked for, in this order; but for "all", up to the first with addresses."""

JITTER = 0.1
"""The most by which a look-up after an answer is late, as a share of the time until it: proxies drift apart."""

log = structlog.get_logger("hopmesh")


class NameResolution:
    """What is known of one name. A failed look-up changes nothing of that."""

    def __init__(
        self,
        name: HostName,
        cluster: Cluster,
        resolver: Resolver,
        scope: StatsScope,
        changed: Callable[[], None],
        *,
        sleep: Sleep = asyncio.sleep,
        earlier: NameResolution | None = None,
    ) -> None:
        """`changed` is called after each look-up. `earlier`: whose last good answers are taken over."""
        self.name = name
        self.looked_up = asyncio.Event()
        self._cluster = cluster
        self._resolver = resolver
        self._scope = scope
        self._changed = changed
        self._sleep = sleep
        self._good: dict[int, Answer] = {} if earlier is None else dict(earlier._good)
        self._failures = 0
        self._empty = False

    @property
    def addresses(self) -> tuple[str, ...]:
        """The addresses that count by the cluster's `dns_lookup_family`, in the order of the answers."""
        found: tuple[str, ...] = ()
        for family in FAMILIES[self._cluster.dns_lookup_family]:
            answer = self._good.get(family)
            if answer is not None and not (found and self._first_counts):
                found += answer.addresses
        return found

    @property
    def _first_counts(self) -> bool:
        return self._cluster.dns_lookup_family != "all"

    async def run(self) -> None:
        """Look up, wait, and so on, until cancelled."""
        while True:
            delay_s = await self._look_up()
            self.looked_up.set()
            self._changed()
            await self._sleep(delay_s)

    async def _look_up(self) -> float:
        """Ask once; returns the seconds until the next time."""
        self._scope.count("update_attempt")
        failure: LookUpFailed | None = None
        lives: list[int] = []
        for family in FAMILIES[self._cluster.dns_lookup_family]:
            try:
                answer = await self._resolver.look_up(self.name.host, family)
            except LookUpFailed as error:
                failure = error
            else:
                self._good[family] = answer
                lives += [answer.ttl_s] if answer.addresses and answer.ttl_s else []
            # One that failed goes on with what it had: another family does not step in for it.
            if self._first_counts and family in self._good and self._good[family].addresses:
                break
        if failure is not None:
            return self._after_failure(str(failure))
        return self._after_answer(lives)

    def _after_answer(self, lives: list[int]) -> float:
        empty = not self.addresses
        self._scope.count("update_empty" if empty else "update_success")
        if empty and not self._empty:
            log.warning("name has no addresses", cluster=self._cluster.name, host=self.name.host)
        elif not empty and (self._empty or self._failures):
            log.info("name resolved again", cluster=self._cluster.name, host=self.name.host)
        self._empty, self._failures = empty, 0
        cluster = self._cluster
        if cluster.respect_dns_ttl and lives:
            delay_ms = min(max(min(lives) * 1000, cluster.dns_min_refresh_ms), cluster.dns_max_refresh_ms)
        else:
            delay_ms = cluster.dns_refresh_ms
        return delay_ms / 1000 * random.uniform(1, 1 + JITTER)

    def _after_failure(self, reason: str) -> float:
        self._scope.count("update_failure")
        if self._failures == 0:
            log.warning(
                "name not resolved", cluster=self._cluster.name, host=self.name.host, reason=reason,
                addresses_kept=len(self.addresses),
            )  # fmt: skip
        delay_ms = self._cluster.dns_failure_refresh_ms << min(self._failures, 31)
        self._failures += 1
        return min(delay_ms, self._cluster.dns_failure_max_refresh_ms) / 1000 * random.uniform(0.5, 1)
