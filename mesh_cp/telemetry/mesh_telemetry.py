"""Requests of the last minute, by edge: who asked whom, as both of their proxies have counted them.

Bounded: a slot for each five seconds, and at most so many edges; those beyond are counted as one.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Iterable
from typing import Literal, NamedTuple

from msgspec import Struct

from mesh_core.channel.messages import Hello, RequestGrowth, Telemetry
from mesh_core.telemetry.histogram import BUCKETS

SLOT_S = 5.0
SLOTS = 12
EDGES_MOST = 50_000

Reporter = Literal["source", "destination"]


class Edge(NamedTuple):
    """Requests from one service to another, as the proxy at one end of them has seen them.

    `source` is empty where the destination has counted: it does not know who asked.
    """

    reporter: Reporter
    source: str
    destination: str


class Traffic(Struct):
    """What went over an edge. `successes`: answered with a status below 500."""

    requests: int = 0
    successes: int = 0
    durations: list[int] = []
    duration_us: int = 0

    def add(self, growth: RequestGrowth) -> None:
        """Count it, too."""
        self.requests += growth.requests
        if 0 < growth.status < 500:
            self.successes += growth.requests
        self._widen()
        for index, count in growth.durations.items():
            if index < len(self.durations):
                self.durations[index] += count
        self.duration_us += growth.duration_us

    def merge(self, other: Traffic) -> None:
        """Count all of the other, too."""
        self.requests += other.requests
        self.successes += other.successes
        self._widen()
        for index, count in enumerate(other.durations):
            self.durations[index] += count
        self.duration_us += other.duration_us

    def _widen(self) -> None:
        if not self.durations:
            self.durations = [0] * (len(BUCKETS) + 1)

    def quantile_ms(self, percent: float) -> float | None:
        """Milliseconds in which so many of a hundred have ended, spread evenly within a bucket; None without any."""
        total = sum(self.durations)
        if not total:
            return None
        rank, below, lower = total * percent / 100, 0, 0.0
        for count, upper in zip(self.durations, BUCKETS, strict=False):
            if count and below + count >= rank:
                return lower + (upper - lower) * (rank - below) / count
            below, lower = below + count, upper
        return float(BUCKETS[-1])


OTHERS = Edge("source", "other", "other")


class MeshTelemetry:
    """Takes what proxies tell, and sums it up."""

    def __init__(self, now_s: Callable[[], float] = time.monotonic) -> None:
        self._now_s = now_s
        self._slots: deque[tuple[float, dict[Edge, Traffic]]] = deque(maxlen=SLOTS)
        self.connections: dict[str, int] = {}
        """Of each node its open connections."""

    def take(self, node: str, hello: Hello, telemetry: Telemetry) -> None:
        """What the proxy of that node has counted."""
        self.connections[node] = telemetry.connections
        slot = self._slot()
        own = next((f"{each.service}.{each.namespace}" for each in hello.workloads), f"{node}.{hello.namespace}")
        for growth in telemetry.requests:
            edge = Edge("destination", "", own) if growth.inbound else Edge("source", own, service_of(growth.cluster))
            if edge not in slot and len(slot) >= EDGES_MOST:
                edge = OTHERS
            slot.setdefault(edge, Traffic()).add(growth)

    def _slot(self) -> dict[Edge, Traffic]:
        now_s = self._now_s()
        if not self._slots or now_s - self._slots[-1][0] >= SLOT_S:
            self._slots.append((now_s, {}))
        return self._slots[-1][1]

    def gone(self, node: str) -> None:
        """The proxy is gone."""
        self.connections.pop(node, None)

    def edges(self, window_s: float = SLOT_S * SLOTS) -> tuple[float, dict[Edge, Traffic]]:
        """What went over each edge in the last `window_s` seconds, in whole slots; and how many seconds those are."""
        now_s = self._now_s()
        chosen = [(begun_s, slot) for begun_s, slot in self._slots if now_s - begun_s <= window_s]
        found: dict[Edge, Traffic] = {}
        for _, slot in chosen:
            merge(found, slot.items())
        return (max(now_s - chosen[0][0], 1.0) if chosen else window_s), found


def merge(found: dict[Edge, Traffic], more: Iterable[tuple[Edge, Traffic]]) -> None:
    """Count more into what was found."""
    for edge, traffic in more:
        found.setdefault(edge, Traffic()).merge(traffic)


def service_of(cluster: str) -> str:
    """The service that a cluster of a proxy stands for, as name.namespace, or the whole host of one outside."""
    return cluster.partition(":")[0].removesuffix(".svc.cluster.local")
