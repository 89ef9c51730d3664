"""What went over an edge of the mesh: counts, and times in buckets."""

from __future__ import annotations

from typing import NamedTuple

from msgspec import Struct, field

from mesh_core.channel.messages import RequestGrowth
from mesh_core.telemetry.histogram import BUCKETS
from mesh_cp.observation import Reporter


class Edge(NamedTuple):
    """Requests from one service to another, as the proxy at one end of them has seen them.

    `source` is empty where the destination has counted: it does not know who asked.
    """

    reporter: Reporter
    source: str
    destination: str


def _no_durations() -> list[int]:
    return [0] * (len(BUCKETS) + 1)


class Traffic(Struct):
    """What went over an edge. `successes`: answered with a status below 500."""

    requests: int = 0
    successes: int = 0
    durations: list[int] = field(default_factory=_no_durations)

    def add(self, growth: RequestGrowth) -> None:
        """Count it, too."""
        self.requests += growth.requests
        if 0 < growth.status < 500:
            self.successes += growth.requests
        for index, count in growth.durations.items():
            if index < len(self.durations):
                self.durations[index] += count

    def merge(self, other: Traffic) -> None:
        """Count all of the other, too."""
        self.requests += other.requests
        self.successes += other.successes
        for index, count in enumerate(other.durations):
            self.durations[index] += count

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


def destination_of(cluster: str) -> str:
    """The service that a cluster of a proxy stands for, as name.namespace, or the whole host of one outside."""
    return cluster.removeprefix("passthrough:").partition(":")[0].removesuffix(".svc.cluster.local")
