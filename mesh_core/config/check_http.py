"""What must hold for listeners and filter chains that speak HTTP, and for the clusters that they send to."""

from __future__ import annotations

from collections.abc import Sequence

from mesh_core.config.check_local_replies import check_local_replies
from mesh_core.config.destinations import clusters_of, destinations
from mesh_core.config.faults import PathStep, Report
from mesh_core.config.schema import Cluster, ClusterTls, FilterChain, HttpSettings, Listener, ListenerTls, Tracing
from mesh_core.config.wording import path_text, quoted

SPOKEN = ("http/1.1", "http/1.0")
"""What ALPN calls the versions of HTTP that are spoken."""


def check_http(
    listeners: Sequence[tuple[int, Listener]], clusters: Sequence[tuple[int, Cluster]], report: Report
) -> None:
    """Report everything about HTTP that cannot work."""
    users: dict[str, list[PathStep]] = {}
    for index, listener in listeners:
        for below, each in destinations(listener):
            path: list[PathStep] = ["listeners", index, *below]
            _check_destination(path, each, report)
            for name in clusters_of(each) if each.protocol == "http" else ():
                users.setdefault(name, path)
    for index, cluster in clusters:
        if isinstance(cluster.name, str) and cluster.name in users:
            _check_cluster(["clusters", index], cluster, users[cluster.name], report)


def _check_tracing(path: list[PathStep], tracing: object, report: Report) -> None:
    formats = tracing.propagation if isinstance(tracing, Tracing) else None
    if not isinstance(formats, tuple):
        return
    if not formats:
        report(path, "no header to pass a trace on in", "for example [w3c]")
    for place, each in enumerate(formats):
        if each in formats[:place]:
            report([*path, place], f"{quoted(each)} stands here already", "remove one")


def _check_destination(path: list[PathStep], destination: Listener | FilterChain, report: Report) -> None:
    settings = destination.http
    if destination.protocol == "tcp" and settings is not None:
        report([*path, "http"], "the protocol is tcp", "add protocol: http, or remove it")
    if isinstance(settings, HttpSettings):
        _check_tracing([*path, "http", "tracing", "propagation"], settings.tracing, report)
        _check_settings([*path, "http"], settings, report)
    if destination.protocol == "http" and isinstance(destination.tls, ListenerTls):
        _check_alpn([*path, "tls", "alpn"], destination.tls.alpn, "protocol: http", report)


def _check_settings(path: list[PathStep], settings: HttpSettings, report: Report) -> None:
    check_local_replies([*path, "local_replies"], settings.local_replies, report)
    if settings.accept_http_10 is False and isinstance(settings.default_host_for_http_10, str):
        message = "accept_http_10 is false: no request will need it"
        report([*path, "default_host_for_http_10"], message, "remove one of them")


def _check_cluster(path: list[PathStep], cluster: Cluster, user: list[PathStep], report: Report) -> None:
    if cluster.send_proxy_protocol in ("v1", "v2"):
        message = f"{path_text(user)} sends requests here, and requests of many downstreams share a connection"
        hint = "remove it; X-Forwarded-For names a request's downstream"
        report([*path, "send_proxy_protocol"], message, hint)
    if isinstance(cluster.tls, ClusterTls):
        _check_alpn([*path, "tls", "alpn"], cluster.tls.alpn, f"{path_text(user)}, which sends requests here", report)


def _check_alpn(path: list[PathStep], protocols: object, speaker: str, report: Report) -> None:
    for place, protocol in enumerate(protocols if isinstance(protocols, tuple) else ()):
        if isinstance(protocol, str) and protocol not in SPOKEN:
            report([*path, place], f"{quoted(protocol)} is not spoken by {speaker}", "write alpn: [http/1.1]")
