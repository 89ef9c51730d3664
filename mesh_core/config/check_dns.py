"""What must hold within a cluster for its endpoints to be found by DNS, or without it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from mesh_core.config.address import AddressError
from mesh_core.config.faults import Hint, PathStep
from mesh_core.config.host_name import HostName, parse_endpoint, parse_resolver
from mesh_core.config.schema import Cluster
from mesh_core.config.wording import quoted

_Report = Callable[[Sequence[PathStep], str, Hint], None]

_STATIC_HINT = (
    "write an IP address, or add type: strict_dns (every address of the name is an endpoint) or "
    "type: logical_dns (the name is one endpoint)"
)


def check_dns(clusters: Iterable[tuple[int, Cluster]], report: _Report) -> None:
    """Report host names where none may stand, and settings of DNS that contradict one another."""
    for index, cluster in clusters:
        path: list[PathStep] = ["clusters", index]
        if cluster.type == "static":
            _check_static(path, cluster, report)
        elif cluster.type == "logical_dns":
            _check_logical(path, cluster, report)
        _check_resolvers(path, cluster, report)
        _check_order(path, cluster, "dns_min_refresh_ms", "dns_max_refresh_ms", report)
        _check_order(path, cluster, "dns_failure_refresh_ms", "dns_failure_max_refresh_ms", report)


def _is_name(text: object) -> bool | None:
    """None for what is neither a name nor an address."""
    try:
        return isinstance(parse_endpoint(text), HostName) if isinstance(text, str) else None
    except AddressError:
        return None


def _check_static(path: list[PathStep], cluster: Cluster, report: _Report) -> None:
    for place, text in enumerate(cluster.endpoints if isinstance(cluster.endpoints, tuple) else ()):
        if _is_name(text):
            report([*path, "endpoints", place], f"a host name in a static cluster: {quoted(text)}", _STATIC_HINT)


def _check_logical(path: list[PathStep], cluster: Cluster, report: _Report) -> None:
    if not isinstance(cluster.endpoints, tuple):
        return
    if len(cluster.endpoints) != 1:
        message = f"a logical_dns cluster has one host name, and here are {len(cluster.endpoints)} endpoints"
        report([*path, "endpoints"], message, "write one, or type: strict_dns")
    elif _is_name(cluster.endpoints[0]) is False:
        message = f"a logical_dns cluster has one host name, and {quoted(cluster.endpoints[0])} is an address"
        report([*path, "endpoints", 0], message, "write a host name, or leave the type out")


def _check_resolvers(path: list[PathStep], cluster: Cluster, report: _Report) -> None:
    for place, text in enumerate(cluster.dns_resolvers if isinstance(cluster.dns_resolvers, tuple) else ()):
        try:
            if isinstance(text, str):
                parse_resolver(text)
        except AddressError as error:
            report([*path, "dns_resolvers", place], error.message, error.hint)


def _check_order(path: list[PathStep], cluster: Cluster, low: str, high: str, report: _Report) -> None:
    least, most = getattr(cluster, low), getattr(cluster, high)
    if isinstance(least, int) and isinstance(most, int) and least > most:
        report([*path, high], f"{most} is less than {low}, {least}", f"write {least} or more")
