"""Statistics as Prometheus text (exposition format 0.0.4)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from itertools import chain
from typing import NamedTuple

from mesh_core.config import Node
from mesh_core.control.admin.request_metrics import request_lines, time_lines
from mesh_core.control.upstream_health.cluster_gauges import CLUSTER_GAUGES
from mesh_core.control.upstream_health.members import Members
from mesh_core.telemetry.request_metrics import Series
from mesh_core.telemetry.stats import STATISTICS, StatsRegistry

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"

# Of kinds of scopes whose metrics are a cluster's: what their names begin with.
PREFIXES = {
    "outlier_detection": "cluster_outlier_detection",
    "adaptive_concurrency": "cluster_adaptive_concurrency",
    "health_check": "cluster_health_check",
}


class ProcessStatistic(NamedTuple):
    """A number of the process itself."""

    name: str
    help: str
    value: float
    type: str = "gauge"


def render(
    registry: StatsRegistry,
    clusters: Mapping[str, Members],
    process: list[ProcessStatistic],
    requests: Iterable[list[Series]],
    node: Node,
) -> str:
    """Every series of the registry, the gauges of the clusters, the series of the process, and those of requests.

    `requests`: for each worker what it has counted, for the workload that is `node`.
    """
    lines = (_process_lines(process), _scope_lines(registry), _gauge_lines(clusters))
    return "".join((*chain(*lines), *request_lines(requests, registry, node), *time_lines(registry)))


def _process_lines(process: list[ProcessStatistic]) -> Iterator[str]:
    for statistic in process:
        name = _metric_name(statistic.name, statistic.type)
        yield f"# HELP {name} {statistic.help}\n# TYPE {name} {statistic.type}\n{name} {statistic.value}\n"


def _scope_lines(registry: StatsRegistry) -> Iterator[str]:
    for kind, (label_names, statistics) in STATISTICS.items():
        scopes = [(_labels(label_names, scope.labels), scope.read()) for scope in registry.scopes(kind)]
        if not scopes:
            continue
        for statistic, metric_type, help_text, _added, _subtracted in statistics:
            name = _metric_name(f"{PREFIXES.get(kind, kind)}_{statistic}", metric_type)
            yield f"# HELP {name} {help_text}\n# TYPE {name} {metric_type}\n"
            for labels, values in scopes:
                yield f"{name}{labels} {values[statistic]}\n"


def _gauge_lines(clusters: Mapping[str, Members]) -> Iterator[str]:
    for gauge in CLUSTER_GAUGES:
        values = [(name, gauge.value(members)) for name, members in sorted(clusters.items())]
        series = [(_labels(("cluster",), (name,)), value) for name, value in values if value is not None]
        if series:
            name = _metric_name(f"cluster_{gauge.name}", "gauge")
            yield f"# HELP {name} {gauge.help}\n# TYPE {name} gauge\n"
            for labels, value in series:
                yield f"{name}{labels} {value}\n"


def _metric_name(name: str, metric_type: str) -> str:
    """Prometheus wants counters to end in _total, and no dots; some of Envoy's names, which ours follow, are not so."""
    suffix = "_total" if metric_type == "counter" and not name.endswith("_total") else ""
    return f"hopmesh_{name.replace('.', '_')}{suffix}"


def _labels(names: tuple[str, ...], values: tuple[str, ...]) -> str:
    if not names:
        return ""
    pairs = ",".join(f'{name}="{_escaped(value)}"' for name, value in zip(names, values, strict=True))
    return f"{{{pairs}}}"


def _escaped(value: str) -> str:
    return value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
