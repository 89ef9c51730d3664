"""Every number that is told of a proxy, by the name that /stats and an embedding program know it by."""

from __future__ import annotations

import os
import resource
import time

from mesh_core.control.admin.prometheus import ProcessStatistic
from mesh_core.control.proxy import Proxy
from mesh_core.control.tls import expiry
from mesh_core.control.upstream_health.cluster_gauges import cluster_gauges

# The kinds of scopes, and what stands before and behind their labels.
_SCOPES: tuple[tuple[str, str, tuple[str, ...]], ...] = (
    ("server", "server", ()),
    ("listener", "listener", ()),
    ("cluster", "cluster", ()),
    ("outlier_detection", "cluster", ("outlier_detection",)),
    ("adaptive_concurrency", "cluster", ("adaptive_concurrency",)),
    ("health_check", "cluster", ("health_check",)),
)


def statistics(proxy: Proxy) -> dict[str, float]:
    """All counters and gauges, sorted by name: integers, but for `server.cpu_seconds_total`."""
    values = {f"server.{each.name}": each.value for each in process_statistics(proxy)}
    for kind, prefix, suffix in _SCOPES:
        for scope in proxy.registry.scopes(kind):
            for name, value in scope.read().items():
                values[".".join((prefix, *scope.labels, *suffix, name))] = value
    for cluster, members in proxy.members.items():
        for name, value in cluster_gauges(members).items():
            values[f"cluster.{cluster}.{name}"] = value
    return dict(sorted(values.items()))


def process_statistics(proxy: Proxy) -> list[ProcessStatistic]:
    """The numbers of the process itself, and of the proxy as a whole."""
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return [
        ProcessStatistic("live", "1 while the proxy accepts connections", int(proxy.state == "live")),
        ProcessStatistic("uptime_seconds", "Seconds since the proxy started", int(time.time() - proxy.started_at)),
        ProcessStatistic("concurrency", "Workers", proxy.worker_count),
        ProcessStatistic("total_connections", "Downstream connections open now", proxy.active_connections),
        ProcessStatistic("snapshot_version", "Number of the newest configuration snapshot", proxy.snapshot_version),
        ProcessStatistic("cpu_seconds_total", "CPU time of the process", usage.ru_utime + usage.ru_stime, "counter"),
        ProcessStatistic("memory_resident_bytes", "Resident memory of the process", _resident_bytes()),
        ProcessStatistic(
            "access_records_dropped",
            "Access records that found a full ring",
            proxy.access_records_dropped,
            "counter",
        ),
        ProcessStatistic(
            "access_bytes_dropped",
            "Access log bytes that the file did not take",
            proxy.access_bytes_dropped,
            "counter",
        ),
        *_requests(proxy),
        *_certificates(proxy),
    ]


def _requests(proxy: Proxy) -> list[ProcessStatistic]:
    series = [each for worker in proxy.request_series for each in worker]
    beyond = sum(each.requests for each in series if each.cluster_id is None)
    return [
        ProcessStatistic("request_series", "Series that requests are counted by, in all workers", len(series)),
        ProcessStatistic(
            "request_series_overflow", "Requests that found no room for a series of their own", beyond, "counter"
        ),
    ]


def _certificates(proxy: Proxy) -> list[ProcessStatistic]:
    if not proxy.tls.current.users and not proxy.tls.updates:
        return []
    found = [
        ProcessStatistic(
            "ssl_context_update_success",
            "Times that changed certificates or TLS settings were taken",
            proxy.tls.updates,
            "counter",
        ),
        ProcessStatistic(
            "ssl_context_update_failure",
            "Times that certificates, keys or CAs could not be taken",
            proxy.tls.failures,
            "counter",
        ),
    ]
    days = expiry.days_until_first_expires(proxy.tls.current.users, expiry.now())
    if days is not None:
        told = "Whole days until the first certificate in use expires"
        found.append(ProcessStatistic("days_until_first_cert_expiring", told, days))
    return found


def _resident_bytes() -> int:
    with open("/proc/self/statm", "rb") as file:  # noqa: PTH123 - Path costs more than the read
        return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")
