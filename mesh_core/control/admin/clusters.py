"""What the admin endpoint tells of clusters and their endpoints; the names are Envoy's."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from mesh_core.control.admin.request_metrics import time_quantiles
from mesh_core.control.proxy import Proxy
from mesh_core.control.upstream_health.cluster_gauges import cluster_gauges
from mesh_core.control.upstream_health.members import Member

Endpoint = dict[str, Any]
Cluster = dict[str, Any]


def describe_clusters(proxy: Proxy) -> list[Cluster]:
    """Every cluster of the running configuration, with its endpoints, as JSON has it."""
    totals = {scope.labels: scope.read() for scope in proxy.registry.scopes("cluster")}
    times = {scope.labels: time_quantiles(scope.buckets()) for scope in proxy.registry.scopes("upstream_rq_time")}
    counts = {scope.labels: scope.read() for scope in proxy.registry.scopes("endpoint")}
    return [
        {
            "name": name,
            "type": members.cluster.type,
            "load_balancer": members.cluster.load_balancer,
            "stats": totals.get((name,), {}) | cluster_gauges(members),
            "upstream_rq_time_ms": times.get((name,), {}),
            "endpoints": [
                _describe(each, counts.get((name, endpoint), {})) for endpoint, each in members.endpoints.items()
            ],
        }
        for name, members in proxy.members.items()
    ]


def _describe(member: Member, stats: dict[str, int]) -> Endpoint:
    endpoint = member.endpoint
    settings = endpoint.settings
    return {
        "address": endpoint.name,
        "hostname": "" if endpoint.source == endpoint.name else endpoint.source,
        "weight": settings.weight,
        "priority": settings.priority,
        "locality": {
            "region": settings.locality.region,
            "zone": settings.locality.zone,
            "sub_zone": settings.locality.sub_zone,
        },
        "labels": settings.labels,
        "health_status": {
            "failed_active_health_check": member.state.failed_active_health_check,
            "failed_outlier_check": member.state.ejected,
        },
        "ejections": member.state.ejections,
        "idle_timeout_ms": member.state.idle_timeout_ms,
        "stats": stats,
    }


def clusters_text(clusters: list[Cluster]) -> str:
    """The same in lines, each led by its cluster and its endpoint."""
    return "".join(f"{line}\n" for cluster in clusters for line in _cluster_lines(cluster))


def _cluster_lines(cluster: Cluster) -> Iterator[str]:
    name = cluster["name"]
    yield f"{name}::type::{cluster['type']}"
    yield f"{name}::load_balancer::{cluster['load_balancer']}"
    for key, value in cluster["stats"].items():
        yield f"{name}::{key}::{value}"
    for key, value in cluster["upstream_rq_time_ms"].items():
        yield f"{name}::upstream_rq_time_ms::{key}::{value}"
    for endpoint in cluster["endpoints"]:
        for key, value in _endpoint_values(endpoint):
            yield f"{name}::{endpoint['address']}::{key}::{value}"


def _endpoint_values(endpoint: Endpoint) -> Iterator[tuple[str, object]]:
    yield from endpoint["stats"].items()
    yield "hostname", endpoint["hostname"]
    flags = [flag for flag, is_set in endpoint["health_status"].items() if is_set]
    yield "health_flags", "/".join(flags) or "healthy"
    yield "ejections", endpoint["ejections"]
    yield "weight", endpoint["weight"]
    yield from endpoint["locality"].items()
    yield "priority", endpoint["priority"]
