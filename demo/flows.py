"""What flows where, as the sidecars have counted it."""

import json
from collections.abc import Iterable
from typing import NamedTuple

from demo.load import get

HEADERS = ("FROM", "TO", "REQUESTS", "SUCCESS", "P50 MS", "P99 MS")


class Flow(NamedTuple):
    """Requests from one to another since the start."""

    source: str
    destination: str
    requests: int
    success_percent: float
    p50_ms: float
    p99_ms: float


def flows(service: str, admin: str) -> list[Flow]:
    """What the sidecar of a service, whose admin endpoint is at `admin`, has passed on. Raises OSError."""
    found = []
    for cluster in json.loads(get(admin, "/clusters?format=json"))["clusters"]:
        stats, times = cluster["stats"], cluster["upstream_rq_time_ms"]
        requests = stats.get("upstream_rq_total", 0)
        name = cluster["name"]
        inbound = name.startswith("inbound:")
        if requests:
            good = requests - stats.get("upstream_rq_5xx", 0)
            source, destination = ("anybody", service) if inbound else (service, name.partition(".")[0])
            quantiles = times.get("p50", 0), times.get("p99", 0)
            found.append(Flow(source, destination, requests, 100 * good / requests, *quantiles))
    return found


def table(found: Iterable[Flow]) -> list[str]:
    """Lines of text."""
    rows = [HEADERS] + [
        (each.source, each.destination, str(each.requests), f"{each.success_percent:.1f} %", f"{each.p50_ms:.1f}",
         f"{each.p99_ms:.1f}")
        for each in found
    ]  # fmt: skip
    widths = [max(len(row[column]) for row in rows) for column in range(len(HEADERS))]
    return ["   ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]
