"""What must hold within the health checks of a cluster."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from mesh_core.config.faults import PathStep, Report
from mesh_core.config.schema import Cluster, HealthCheck, HttpHealthCheck, Payload

_HEADERS_MOST = 64
_OWN_HEADERS = frozenset(
    ("host", "connection", "content-length", "transfer-encoding", "te", "trailer", "upgrade", "expect", "keep-alive")
)


def check_health_checks(clusters: Sequence[tuple[int, Cluster]], report: Report) -> None:
    """Report health checks that are too many, or of which not all is said, or more than their type knows."""
    for index, cluster in clusters:
        checks = cluster.health_checks if isinstance(cluster.health_checks, tuple) else ()
        path: list[PathStep] = ["clusters", index, "health_checks"]
        if len(checks) > 1:
            report([*path, 1], "a cluster has one health check at most", "remove this one")
        for place, check in enumerate(checks):
            if isinstance(check, HealthCheck):
                if check.type == "tls" and cluster.tls is None:
                    step: list[PathStep] = [*path, place, "type"]
                    report(step, "a check by TLS, of a cluster without tls", "add tls, or write tcp")
                check_health_check([*path, place], check, report)


def check_health_check(path: list[PathStep], check: HealthCheck, report: Report) -> None:
    """Report what does not fit its type."""
    if check.type == "http":
        _check_http(path, check, report)
    elif isinstance(check.http, HttpHealthCheck) and isinstance(check.type, str):
        report([*path, "http"], f"a request, but the check is by {check.type}", "remove it, or write type: http")
    for step, payload in _payloads(check):
        _check_payload([*path, *step], payload, report)


def _check_http(path: list[PathStep], check: HealthCheck, report: Report) -> None:
    if check.http is None:
        report(path, "a check by HTTP without a request", "add http: {path: /healthz}")
    if isinstance(check.send, Payload):
        report([*path, "send"], "a check by HTTP sends a request", "remove it: http says what is sent")
    http = check.http
    if not isinstance(http, HttpHealthCheck):
        return
    headers = http.request_headers
    if isinstance(headers, dict):
        if len(headers) > _HEADERS_MOST:
            report([*path, "http", "request_headers"], f"more than {_HEADERS_MOST} headers", "remove some")
        for name in headers:
            if isinstance(name, str) and name.lower() in _OWN_HEADERS:
                hint = "write it as host" if name.lower() == "host" else "remove it"
                report([*path, "http", "request_headers", name], f"{name} is for the proxy to send", hint)
    statuses = http.expected_statuses
    if isinstance(statuses, tuple):
        if not statuses:
            report([*path, "http", "expected_statuses"], "no status is good", "for example [200]")
        for place, each in enumerate(statuses):
            if isinstance(each, str) and each.partition("-")[0] > each.partition("-")[2]:
                step: list[PathStep] = [*path, "http", "expected_statuses", place]
                report(step, f"{each} begins behind its end", "write the smaller one first")


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
