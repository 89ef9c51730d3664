"""Clusters: how a port of a host is connected to."""

from __future__ import annotations

from typing import Any, Literal

from mesh_core.config.schema import (
    CircuitBreakers,
    Cluster,
    ClusterHttp,
    ClusterTls,
    LocalityWeight,
    Maglev,
    OutlierDetection,
    PeerNames,
    Retry,
    RetryBudget,
    RingHash,
    SlowStart,
)
from mesh_core.config.schema.common import LARGEST
from mesh_cp.generators.policy import Effective
from mesh_cp.model import Service
from mesh_cp.resources.common import milliseconds
from mesh_cp.resources.destination_rule import ClientTls, ConsistentHash, LoadBalancer

_CONNECT_TIMEOUT_MS = 10_000
"""Istio's."""

_SIMPLE: dict[str | None, Literal["round_robin", "least_request", "random"]] = {
    "ROUND_ROBIN": "round_robin",
    "RANDOM": "random",
}
_SYSTEM_CA = "system"
_RING_MOST = 1_048_576


def cluster(
    name: str, service: Service, policy: Effective, weights: tuple[LocalityWeight, ...], *, speaks_http: bool
) -> Cluster:
    """The cluster of that name, without its endpoints. What nobody set is as in Istio: least request, no bounds."""
    tcp, http = policy.tcp, policy.http
    # A connection that requests of many share has no one source to tell.
    proxy_protocol = policy.proxy_protocol if not speaks_http else None
    idle_ms = None if http.idle_timeout is None else milliseconds(http.idle_timeout)
    duration_ms = None if tcp.max_connection_duration is None else milliseconds(tcp.max_connection_duration)
    defaults = ClusterHttp()
    return Cluster(
        name=name,
        type=_type(service),
        endpoints=(),
        connect_timeout_ms=milliseconds(tcp.connect_timeout or "") or _CONNECT_TIMEOUT_MS,
        **_balancing(policy.load_balancer),
        panic_threshold_percent=_panic_percent(policy),
        locality_weights=weights,
        http=ClusterHttp(
            idle_timeout_ms=defaults.idle_timeout_ms if idle_ms is None else idle_ms,
            max_requests_per_connection=http.max_requests_per_connection or None,
            max_connection_duration_ms=duration_ms or None,
        ),
        retry=Retry(budget=_retry_budget(policy)),
        circuit_breakers=_breakers(policy),
        outlier_detection=_outliers(policy),
        tls=None if policy.tls is None else _tls(policy.tls, service),
        send_proxy_protocol=None if proxy_protocol is None else _PROXY_PROTOCOL[proxy_protocol.version],
    )


_PROXY_PROTOCOL: dict[str, Literal["v1", "v2"]] = {"V1": "v1", "V2": "v2"}


def _type(service: Service) -> Literal["static", "strict_dns", "logical_dns"]:
    if service.discovery == "strict_dns" or service.members_by_name:
        return "strict_dns"
    return "logical_dns" if service.discovery == "logical_dns" else "static"


def _balancing(balancer: LoadBalancer) -> dict[str, Any]:
    hashing = balancer.consistent_hash
    if hashing is not None:
        return _hashing(hashing)
    settings: dict[str, Any] = {"load_balancer": _SIMPLE.get(balancer.simple, "least_request")}
    warmup = balancer.warmup
    if warmup is not None and milliseconds(warmup.duration):
        settings["slow_start"] = SlowStart(
            window_ms=milliseconds(warmup.duration),
            aggression=max(0.01, warmup.aggression),
            minimum_weight_percent=warmup.minimum_percent,
        )
    elif balancer.warmup_duration_secs is not None and milliseconds(balancer.warmup_duration_secs):
        settings["slow_start"] = SlowStart(window_ms=milliseconds(balancer.warmup_duration_secs))
    return settings


def _hashing(hashing: ConsistentHash) -> dict[str, Any]:
    if hashing.maglev is not None:
        return {"load_balancer": "maglev", "maglev": Maglev(table_size=hashing.maglev.table_size)}
    ring = hashing.ring_hash
    least = ring.minimum_ring_size if ring is not None else hashing.minimum_ring_size or RingHash().minimum_ring_size
    sizes = RingHash(minimum_ring_size=least, maximum_ring_size=max(least, _RING_MOST))
    return {"load_balancer": "ring_hash", "ring_hash": sizes}


def _panic_percent(policy: Effective) -> int:
    """Istio never sends to endpoints that are out, unless told when to."""
    detection = policy.outlier_detection
    return detection.min_health_percent or 0 if detection is not None else 0


def _retry_budget(policy: Effective) -> RetryBudget:
    """Of connections. Istio's maxRetries is a number at one time, whatever the load; its retryBudget goes before."""
    budget, most = policy.retry_budget, policy.http.max_retries
    if budget is not None:
        return RetryBudget(percent=round(budget.percent), min_concurrency=budget.min_retry_concurrency)
    return RetryBudget(percent=0, min_concurrency=most) if most else RetryBudget()


def _breakers(policy: Effective) -> CircuitBreakers | None:
    tcp, http = policy.tcp, policy.http
    retries = http.max_retries if policy.retry_budget is None else None
    if not (tcp.max_connections or http.http1_max_pending_requests or http.http2_max_requests or retries):
        return None
    return CircuitBreakers(
        max_connections=tcp.max_connections or LARGEST,
        max_pending_connections=LARGEST,
        max_requests=http.http2_max_requests or LARGEST,
        max_pending_requests=http.http1_max_pending_requests or LARGEST,
        max_retries=retries or None,
    )


def _outliers(policy: Effective) -> OutlierDetection | None:
    """Istio's: failures in a row only; of each kind 0 turns it off."""
    detection = policy.outlier_detection
    if detection is None:
        return None
    errors = detection.consecutive_5xx_errors
    if errors is None:
        errors = detection.consecutive_errors
    settings: dict[str, Any] = {
        "enforcing_success_rate": 0,
        "enforcing_local_origin_success_rate": 0,
        "split_external_local_origin_errors": detection.split_external_local_origin_errors,
    }
    for name, failures in (
        ("consecutive_5xx", errors),
        ("consecutive_gateway_failure", detection.consecutive_gateway_errors),
        ("consecutive_local_origin_failure", detection.consecutive_local_origin_failures),
    ):
        if failures:
            settings[name] = failures
        if failures is not None:
            settings[f"enforcing_{name}"] = 100 if failures else 0
    for name, duration in (
        ("interval_ms", detection.interval),
        ("base_ejection_time_ms", detection.base_ejection_time),
    ):
        if duration is not None and milliseconds(duration):
            settings[name] = milliseconds(duration)
    if detection.max_ejection_percent is not None:
        settings["max_ejection_percent"] = detection.max_ejection_percent
    return OutlierDetection(**settings)


def _tls(tls: ClientTls, service: Service) -> ClusterTls | None:
    if tls.mode in ("DISABLE", "ISTIO_MUTUAL"):
        return None
    uris = tuple(name for name in tls.subject_alt_names if "://" in name)
    names = tuple(name for name in tls.subject_alt_names if "://" not in name)
    server_name = tls.sni or service.host.removeprefix("*.")
    if tls.insecure_skip_verify:
        return ClusterTls(
            server_name=server_name,
            insecure_skip_verify=True,
            certificate=tls.client_certificate,
            key=tls.private_key,
        )
    return ClusterTls(
        trusted_ca=tls.ca_certificates or _SYSTEM_CA,
        server_name=server_name,
        peer=PeerNames(uris=uris, dns_names=names) if tls.subject_alt_names else None,
        certificate=tls.client_certificate,
        key=tls.private_key,
    )
