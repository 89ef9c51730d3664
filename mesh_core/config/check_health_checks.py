"""What must hold within the health checks of a cluster."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from mesh_core.config.faults import PathStep, Report
from mesh_core.config.schema import Cluster, HealthCheck, Payload


def check_health_checks(clusters: Sequence[tuple[int, Cluster]], report: Report) -> None:
    """Report health checks that are too many or want TLS where there is none, and payloads not written in one way."""
    for index, cluster in clusters:
        checks = cluster.health_checks if isinstance(cluster.health_checks, tuple) else ()
        path: list[PathStep] = ["clusters", index, "health_checks"]
        if len(checks) > 1:
            report([*path, 1], "a cluster has one health check at most", "remove this one")
        for place, check in enumerate(checks):
            if isinstance(check, HealthCheck):
                _check_one([*path, place], check, cluster, report)


def _check_one(path: list[PathStep], check: HealthCheck, cluster: Cluster, report: Report) -> None:
    if check.type == "tls" and cluster.tls is None:
        report([*path, "type"], "a check by TLS, of a cluster without tls", "add tls, or write tcp")
    for step, payload in _payloads(check):
        _check_payload([*path, *step], payload, report)


def _payloads(check: HealthCheck) -> Iterator[tuple[list[PathStep], Payload]]:
    if isinstance(check.send, Payload):
        yield ["send"], check.send
    for index, payload in enumerate(check.receive if isinstance(check.receive, tuple) else ()):
        if isinstance(payload, Payload):
            yield ["receive", index], payload


def _check_payload(path: list[PathStep], payload: Payload, report: Report) -> None:
    if payload.text is None and payload.hex is None:
        report(path, "no bytes", 'add text: "PING", or hex: "50494e47"')
    elif payload.text is not None and payload.hex is not None:
        report(path, "text and hex are two ways to write the same", "keep one of them")
