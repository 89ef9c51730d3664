"""Metrics of requests as Prometheus text, by the names and labels of Istio, and the times that clusters take.

Source: Istio, "Istio Standard Metrics"; buckets are Envoy's defaults.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from mesh_core.config import Node
from mesh_core.telemetry.histogram import BUCKETS, TIME_BUCKETS_US
from mesh_core.telemetry.request_metrics import Series
from mesh_core.telemetry.response_flags import flag_names
from mesh_core.telemetry.stats import StatsRegistry

UNKNOWN = "unknown"
OTHER = "other"


class _Histogram(NamedTuple):
    name: str
    help: str
    field: str
    scale: int


_HISTOGRAMS = (
    _Histogram(
        "istio_request_duration_milliseconds", "Time from a request's first byte to its end", "duration_us", 1000
    ),
    _Histogram("istio_request_bytes", "Bytes of requests, heads and bodies", "request_bytes", 1),
    _Histogram("istio_response_bytes", "Bytes of responses, heads and bodies", "response_bytes", 1),
)


def request_lines(workers: Iterable[list[Series]], registry: StatsRegistry, node: Node) -> Iterator[str]:
    """Istio's metrics of all workers together."""
    series = [(_series_labels(each, registry, node), each) for each in merged(workers)]
    if not series:
        return
    yield "# HELP istio_requests_total Requests that have ended\n# TYPE istio_requests_total counter\n"
    for labels, each in series:
        yield f"istio_requests_total{{{labels}}} {each.requests}\n"
    for histogram in _HISTOGRAMS:
        yield f"# HELP {histogram.name} {histogram.help}\n# TYPE {histogram.name} histogram\n"
        for labels, each in series:
            words = getattr(each, histogram.field)
            yield from _histogram_lines(histogram.name, labels, words[:-1], words[-1] / histogram.scale)


def time_lines(registry: StatsRegistry) -> Iterator[str]:
    """How long clusters took to answer, by Envoy's name."""
    scopes = [(scope.labels[0], scope.buckets()) for scope in registry.scopes("upstream_rq_time")]
    used = [(name, words) for name, words in scopes if any(words)]
    if not used:
        return
    name = "hopmesh_cluster_upstream_rq_time"
    yield f"# HELP {name} Milliseconds from a request's first byte upstream to the response's last\n"
    yield f"# TYPE {name} histogram\n"
    for cluster, words in used:
        yield from _histogram_lines(name, f'cluster="{_escaped(cluster)}"', _coarse(words), words[-1] / 1000)


def time_quantiles(words: list[int]) -> dict[str, float]:
    """Milliseconds in which half, 95 and 99 of a hundred requests were answered; empty when there was none.

    `words`: of an upstream_rq_time scope. Within a bucket times are taken to be spread evenly.
    """
    counts = words[:-1]
    total = sum(counts)
    if not total:
        return {}
    return {f"p{percent}": _quantile(counts, total * percent / 100) for percent in (50, 95, 99)}


def _quantile(counts: list[int], rank: float) -> float:
    below, lower_us = 0, 0
    for count, upper_us in zip(counts, TIME_BUCKETS_US, strict=False):
        if count and below + count >= rank:
            return (lower_us + (upper_us - lower_us) * (rank - below) / count) / 1000
        below, lower_us = below + count, upper_us
    return TIME_BUCKETS_US[-1] / 1000


def merged(workers: Iterable[list[Series]]) -> list[Series]:
    """The series of all workers, each once."""
    found: dict[tuple[object, ...], Series] = {}
    for each in (series for worker in workers for series in worker):
        key = each[:5]
        found[key] = _sum(found[key], each) if key in found else each
    return list(found.values())


def _sum(one: Series, other: Series) -> Series:
    return one._replace(
        requests=one.requests + other.requests,
        duration_us=[a + b for a, b in zip(one.duration_us, other.duration_us, strict=True)],
        request_bytes=[a + b for a, b in zip(one.request_bytes, other.request_bytes, strict=True)],
        response_bytes=[a + b for a, b in zip(one.response_bytes, other.response_bytes, strict=True)],
    )


def _series_labels(series: Series, registry: StatsRegistry, node: Node) -> str:
    is_other = series.cluster_id is None
    inbound = series.inbound
    name = OTHER if series.cluster_id is None else registry.cluster_names[series.cluster_id] or UNKNOWN
    service = (node.service or name) if inbound else name
    security = UNKNOWN if not inbound else "mutual_tls" if series.mutual_tls else "none"
    labels = {
        "reporter": OTHER if is_other else "destination" if inbound else "source",
        **_workload_labels("source", None if inbound or is_other else node),
        **_workload_labels("destination", node if inbound and not is_other else None),
        "destination_service": service,
        "destination_service_name": service.partition(".")[0],
        "destination_service_namespace": (node.namespace or UNKNOWN) if inbound else UNKNOWN,
        "request_protocol": OTHER if is_other else "http",
        "response_code": OTHER if is_other else str(series.status),
        "response_flags": OTHER if is_other else ",".join(flag_names(series.flags)) or "-",
        "connection_security_policy": OTHER if is_other else security,
    }
    return ",".join(f'{label}="{_escaped(value)}"' for label, value in labels.items())


def _workload_labels(side: str, node: Node | None) -> dict[str, str]:
    """What is known of one side; of the peer, nothing is."""
    known = node or Node()
    values = {
        "workload": known.workload,
        "workload_namespace": known.namespace,
        "principal": known.principal,
        "app": known.app,
        "version": known.version,
        "cluster": known.cluster,
        "canonical_service": known.app or known.workload,
        # Istio's rule for a workload without a version.
        "canonical_revision": known.version or (None if node is None else "latest"),
    }
    return {f"{side}_{label}": value or UNKNOWN for label, value in values.items()}


def _histogram_lines(name: str, labels: str, counts: list[int], total: float) -> Iterator[str]:
    count = 0
    for bound, each in zip(_BOUND_TEXTS, counts, strict=True):
        count += each
        yield f'{name}_bucket{{{labels},le="{bound}"}} {count}\n'
    yield f"{name}_sum{{{labels}}} {total}\n{name}_count{{{labels}}} {count}\n"


_BOUND_TEXTS = (*(f"{bound:g}" if bound < 1 else str(int(bound)) for bound in BUCKETS), "+Inf")


def _coarse(words: list[int]) -> list[int]:
    """Counts of the finer buckets of times, added up to those of the default buckets."""
    counts = [0] * (len(BUCKETS) + 1)
    place = 0
    for upper_us, count in zip(TIME_BUCKETS_US, words, strict=False):
        while place < len(BUCKETS) and upper_us > BUCKETS[place] * 1000:
            place += 1
        counts[place] += count
    counts[-1] += words[len(TIME_BUCKETS_US)]
    return counts


def _escaped(value: str) -> str:
    return value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
