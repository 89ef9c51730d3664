"""Metrics of requests: series, their bound, histograms, and the text that Prometheus reads."""

from __future__ import annotations

import math
import random
from collections.abc import Iterator

import pytest
from prometheus_client.parser import text_string_to_metric_families

from mesh_core._testing.request_log import TRAIT_INBOUND, TRAIT_MUTUAL_TLS, RequestLog
from mesh_core._testing.telemetry import FLAG_NAMES
from mesh_core.config import Node
from mesh_core.control.admin.request_metrics import merged, request_lines, time_lines, time_quantiles
from mesh_core.runtime.memory import fail_allocations_after_for_test
from mesh_core.telemetry.histogram import BUCKETS, TIME_BUCKETS_US
from mesh_core.telemetry.stats import StatsRegistry

Samples = dict[str, list[tuple[dict[str, str], float]]]
NODE = Node(workload="cart-v1", namespace="shop", service="cart.shop.svc", app="cart", version="v1", cluster="eu")


def samples(lines: Iterator[str]) -> Samples:
    found: Samples = {}
    for family in text_string_to_metric_families("".join(lines)):
        for sample in family.samples:
            found.setdefault(sample.name, []).append((sample.labels, sample.value))
    return found


def scrape(*logs: RequestLog, node: Node = NODE) -> Samples:
    registry = StatsRegistry(1)
    assert [registry.cluster_id(name) for name in ("app", "db", "app")] == [1, 2, 1]
    return samples(request_lines([log.series() for log in logs], registry, node))


def test_labels_of_a_destination() -> None:
    log = RequestLog()
    log.count(1, TRAIT_INBOUND | TRAIT_MUTUAL_TLS, status=200)
    ((labels, value),) = scrape(log)["istio_requests_total"]
    assert value == 1
    assert labels == {
        "reporter": "destination",
        **{f"source_{label}": "unknown" for label in WORKLOAD_LABELS},
        "destination_workload": "cart-v1",
        "destination_workload_namespace": "shop",
        "destination_principal": "unknown",
        "destination_app": "cart",
        "destination_version": "v1",
        "destination_cluster": "eu",
        "destination_canonical_service": "cart",
        "destination_canonical_revision": "v1",
        "destination_service": "cart.shop.svc",
        "destination_service_name": "cart",
        "destination_service_namespace": "shop",
        "request_protocol": "http",
        "response_code": "200",
        "response_flags": "-",
        "connection_security_policy": "mutual_tls",
    }


WORKLOAD_LABELS = (
    "workload", "workload_namespace", "principal", "app", "version", "cluster", "canonical_service",
    "canonical_revision",
)


def test_labels_of_a_source() -> None:
    log = RequestLog()
    log.count(2, 0, status=503, flags=0b11)
    ((labels, _),) = scrape(log, node=Node(workload="w"))["istio_requests_total"]
    assert labels["reporter"] == "source"
    assert (labels["source_workload"], labels["source_canonical_service"]) == ("w", "w")
    assert labels["source_canonical_revision"] == "latest"
    assert {labels[f"destination_{label}"] for label in WORKLOAD_LABELS} == {"unknown"}
    assert labels["destination_service"] == "db"
    assert labels["response_code"] == "503"
    assert labels["response_flags"] == f"{FLAG_NAMES[0]},{FLAG_NAMES[1]}"
    assert labels["connection_security_policy"] == "unknown"


def test_a_request_that_reached_no_cluster() -> None:
    log = RequestLog()
    log.count(0, TRAIT_INBOUND, status=404)
    ((labels, _),) = scrape(log, node=Node())["istio_requests_total"]
    assert labels["destination_service"] == "unknown"
    assert labels["connection_security_policy"] == "none"


@pytest.mark.parametrize("seed", range(3))
def test_histograms_agree_with_a_model(seed: int) -> None:
    rng = random.Random(seed)
    logs = [RequestLog(), RequestLog()]
    counted = []
    for _ in range(500):
        duration_us = int(10 ** rng.uniform(0, 10))
        sizes = [rng.choice([0, 1, 5, 6, 1000, 1001, 10**7]), rng.randrange(2000)]
        rng.choice(logs).count(
            1, 0, status=200, received_us=5, ended_us=5 + duration_us, bytes_received=sizes[0],
            header_bytes_received=1, bytes_sent=sizes[1], header_bytes_sent=2,
        )
        counted.append((duration_us / 1000, sizes[0] + 1, sizes[1] + 2))
    found = scrape(*logs)
    assert [value for _, value in found["istio_requests_total"]] == [500]
    names = ("istio_request_duration_milliseconds", "istio_request_bytes", "istio_response_bytes")
    for place, name in enumerate(names):
        values = [each[place] for each in counted]
        buckets = {labels["le"]: value for labels, value in found[f"{name}_bucket"]}
        assert buckets == {
            **{_bound(bound): sum(value <= bound for value in values) for bound in BUCKETS},
            "+Inf": 500,
        }
        assert found[f"{name}_count"][0][1] == 500
        assert math.isclose(found[f"{name}_sum"][0][1], sum(values), rel_tol=1e-9)


def _bound(bound: float) -> str:
    return "0.5" if bound == 0.5 else str(int(bound))


def test_buckets_are_envoys() -> None:
    assert BUCKETS == (
        0.5, 1, 5, 10, 25, 50, 100, 250, 500, 1000, 2500, 5000, 10000, 30000, 60000, 300000, 600000, 1800000, 3600000,
    )


def test_series_are_kept_apart_and_found_again() -> None:
    log = RequestLog(series_limit=1000)
    expected: dict[tuple[int, int, int, int], int] = {}
    rng = random.Random(1)
    for _ in range(5000):
        key = (rng.randrange(4), rng.choice([0, 1, 1 << 10]), rng.choice([0, 200, 404, 503]), rng.randrange(4))
        cluster, flags, status, traits = key
        log.count(cluster, traits, status=status, flags=flags)
        expected[key] = expected.get(key, 0) + 1
    found = {
        (each.cluster_id, each.flags, each.status, each.inbound + 2 * each.mutual_tls): each.requests
        for each in log.series()
    }
    assert found == expected


def test_what_is_over_the_bound_is_counted_together() -> None:
    log = RequestLog(series_limit=3)
    for status in (200, 201, 202, 203, 204, 200):
        log.count(1, 0, status=status)
    series = log.series()
    assert [(each.status, each.requests) for each in series[:3]] == [(200, 2), (201, 1), (202, 1)]
    assert (series[3].cluster_id, series[3].requests) == (None, 2)
    labels, value = scrape(log)["istio_requests_total"][-1]
    assert value == 2
    names = ("reporter", "destination_service", "response_code", "response_flags")
    assert {labels[name] for name in names} == {"other"}


def test_workers_are_added_up() -> None:
    logs = [RequestLog(), RequestLog()]
    for log in logs:
        log.count(1, 0, status=200, ended_us=2001)
        log.count(1, 0, status=500)
    logs[1].count(2, 0, status=200)
    series = merged([log.series() for log in logs])
    assert [(each.cluster_id, each.status, each.requests) for each in series] == [(1, 200, 2), (1, 500, 2), (2, 200, 1)]
    assert series[0].duration_us[-1] == 4000


def test_nothing_is_said_of_no_requests() -> None:
    registry = StatsRegistry(1)
    scope = registry.scope("upstream_rq_time", "app")
    assert "".join([*request_lines([[], []], registry, NODE), *time_lines(registry)]) == ""
    assert time_quantiles(scope.buckets()) == {}


def test_times_of_a_cluster() -> None:
    registry = StatsRegistry(2)
    scope = registry.scope("upstream_rq_time", 'a"b')
    log = RequestLog()
    times_us = [int(10 ** random.Random(number).uniform(0, 10)) for number in range(300)] + list(TIME_BUCKETS_US)
    for time_us in times_us:
        log.count(1, 0, scope, upstream_sent_us=9, responded_end_us=9 + time_us)
    log.count(1, 0, scope, upstream_sent_us=0, responded_end_us=9)
    log.count(1, 0, scope, upstream_sent_us=9, responded_end_us=0)
    found = samples(time_lines(registry))
    buckets = {labels["le"]: value for labels, value in found["hopmesh_cluster_upstream_rq_time_bucket"]}
    assert buckets == {
        **{_bound(bound): sum(time_us <= bound * 1000 for time_us in times_us) for bound in BUCKETS},
        "+Inf": len(times_us),
    }
    assert found["hopmesh_cluster_upstream_rq_time_sum"][0][1] == sum(times_us) / 1000
    assert found["hopmesh_cluster_upstream_rq_time_count"][0][0] == {"cluster": 'a"b'}


def test_quantiles() -> None:
    registry = StatsRegistry(1)
    scope = registry.scope("upstream_rq_time", "app")
    log = RequestLog()
    for time_us in range(1, 10_001):
        log.count(1, 0, scope, upstream_sent_us=9, responded_end_us=9 + time_us)
    found = time_quantiles(scope.buckets())
    assert set(found) == {"p50", "p95", "p99"}
    assert math.isclose(found["p50"], 5.0, rel_tol=0.01)
    assert math.isclose(found["p95"], 9.5, rel_tol=0.01)
    assert math.isclose(found["p99"], 9.9, rel_tol=0.01)
    log.count(1, 0, scope, upstream_sent_us=9, responded_end_us=10**13)
    assert time_quantiles([0] * len(TIME_BUCKETS_US) + [1, 10**13])["p50"] == 3_600_000


@pytest.mark.parametrize("count", [0, 1, 2])
def test_without_memory(count: int) -> None:
    fail_allocations_after_for_test(count)
    with pytest.raises(MemoryError):
        RequestLog()
