"""What must hold within a cluster for its endpoints to be found by DNS, or without it."""

from __future__ import annotations

from mesh_core.config.address import AddressError
from mesh_core.config.faults import PathStep, Report
from mesh_core.config.host_name import HostName, parse_endpoint, parse_resolver
from mesh_core.config.schema import Cluster, Endpoint
from mesh_core.config.wording import quoted

_STATIC_HINT = (
    "write an IP address, or add type: strict_dns (every address of the name is an endpoint) or "
    "type: logical_dns (the name is one endpoint)"
)


def check_dns(path: list[PathStep], cluster: Cluster, report: Report) -> None:
    """Report host names where none may stand, and settings of DNS that contradict one another."""
    if cluster.type == "static":
        _check_static(path, cluster, report)
    elif cluster.type == "logical_dns":
        _check_logical(path, cluster, report)
    _check_resolvers(path, cluster, report)
    _check_order(path, cluster, "dns_min_refresh_ms", "dns_max_refresh_ms", report)
    _check_order(path, cluster, "dns_failure_refresh_ms", "dns_failure_max_refresh_ms", report)


def _is_name(text: str) -> bool | None:
    """None for what is neither a name nor an address."""
    try:
        return isinstance(parse_endpoint(text), HostName)
    except AddressError:
        return None


def _address(path: list[PathStep], entry: object) -> tuple[list[PathStep], object]:
    """What stands for the address in an entry of `endpoints`, and where."""
    return ([*path, "address"], entry.address) if isinstance(entry, Endpoint) else (path, entry)


def _check_static(path: list[PathStep], cluster: Cluster, report: Report) -> None:
    for place, entry in enumerate(cluster.endpoints if isinstance(cluster.endpoints, tuple) else ()):
        steps, text = _address([*path, "endpoints", place], entry)
        if isinstance(text, str) and _is_name(text):
            report(steps, f"a host name in a static cluster: {quoted(text)}", _STATIC_HINT)


def _check_logical(path: list[PathStep], cluster: Cluster, report: Report) -> None:
    if not isinstance(cluster.endpoints, tuple):
        return
    if len(cluster.endpoints) != 1:
        message = f"a logical_dns cluster has one host name, and here are {len(cluster.endpoints)} endpoints"
        report([*path, "endpoints"], message, "write one, or type: strict_dns")
        return
    steps, text = _address([*path, "endpoints", 0], cluster.endpoints[0])
    if isinstance(text, str) and _is_name(text) is False:
        message = f"a logical_dns cluster has one host name, and {quoted(text)} is an address"
        report(steps, message, "write a host name, or leave the type out")


def _check_resolvers(path: list[PathStep], cluster: Cluster, report: Report) -> None:
    for place, text in enumerate(cluster.dns_resolvers if isinstance(cluster.dns_resolvers, tuple) else ()):
        try:
            if isinstance(text, str):
                parse_resolver(text)
        except AddressError as error:
            report([*path, "dns_resolvers", place], error.message, error.hint)


def _check_order(path: list[PathStep], cluster: Cluster, low: str, high: str, report: Report) -> None:
    least, most = getattr(cluster, low), getattr(cluster, high)
    if isinstance(least, int) and isinstance(most, int) and least > most:
        report([*path, high], f"{most} is less than {low}, {least}", f"write {least} or more")
