"""What must hold between the fields of a configuration, beyond the shape of each.

The configuration may have faults of shape already: a value of the wrong type then stands as `INVALID`, and no
check speaks about it, nor draws conclusions from its absence.
"""

from __future__ import annotations

import socket
from collections.abc import Iterator, Sequence
from functools import partial
from typing import TypeVar

from msgspec import Struct

from mesh_core.config.address import Address, AddressError, parse_address
from mesh_core.config.check_access_log import check_access_log
from mesh_core.config.check_balancing import check_balancing
from mesh_core.config.check_control_plane import check_control_plane
from mesh_core.config.check_dns import check_dns
from mesh_core.config.check_filter_chains import check_filter_chains
from mesh_core.config.check_health_checks import check_health_checks
from mesh_core.config.check_http import check_http
from mesh_core.config.check_policies import check_policies
from mesh_core.config.check_routes import check_routes
from mesh_core.config.check_tls import check_cluster_tls, check_listener_tls
from mesh_core.config.destinations import cluster_references, destinations
from mesh_core.config.faults import PathStep, Report
from mesh_core.config.host_name import HostName, parse_endpoint
from mesh_core.config.schema import AccessLog, Admin, Cluster, Config, ControlPlane, Endpoint, Listener, Restart
from mesh_core.config.wording import did_you_mean, path_text, quoted

_Part = TypeVar("_Part", bound=Struct)
_Bound = tuple[list[PathStep], Address]


def check(config: Config, report: Report) -> None:
    """Report everything in `config` that cannot work."""
    listeners = list(_parts(config.listeners, Listener))
    clusters = list(_parts(config.clusters, Cluster))
    _check_names("listeners", listeners, report)
    _check_names("clusters", clusters, report)
    _check_references(config, listeners, clusters, report)
    bound: list[tuple[list[PathStep], str]] = [
        (["listeners", i, "address"], listener.address) for i, listener in listeners
    ]
    if isinstance(config.admin, Admin):
        bound.append((["admin", "address"], config.admin.address))
    if isinstance(config.restart, Restart):
        bound.append((["restart", "address"], config.restart.address))
        _check_restart(config.restart, report)
    if isinstance(config.control_plane, ControlPlane):
        check_control_plane(config.control_plane, report)
    parsed = [(path, _address(path, text, report)) for path, text in bound]
    _check_bindings([(path, address) for path, address in parsed if address is not None], report)
    _check_unix_modes(listeners, report)
    for index, listener in listeners:
        check_filter_chains(index, listener, report)
        check_routes(index, listener, report)
    check_policies(listeners, report)
    _check_endpoints(clusters, listeners, report)
    for i, listener in listeners:
        for path, each in destinations(listener):
            check_listener_tls(["listeners", i, *path, "tls"], each, report)
    for i, cluster in clusters:
        check_dns(["clusters", i], cluster, report)
        check_cluster_tls(["clusters", i, "tls"], cluster, report)
    check_balancing(clusters, listeners, report)
    check_health_checks(clusters, report)
    check_http(listeners, clusters, report)
    if isinstance(config.access_log, AccessLog):
        check_access_log(config.access_log, report)


def _parts(items: object, of: type[_Part]) -> Iterator[tuple[int, _Part]]:
    """The members of a list that have their type, each with its index."""
    for index, item in enumerate(items if isinstance(items, tuple) else ()):
        if isinstance(item, of):
            yield index, item


def _check_names(
    key: str, parts: Sequence[tuple[int, Listener]] | Sequence[tuple[int, Cluster]], report: Report
) -> None:
    first: dict[str, int] = {}
    for index, part in parts:
        if isinstance(part.name, str) and first.setdefault(part.name, index) != index:
            other = path_text([key, first[part.name]])
            message = f"the name {quoted(part.name)} is taken by {other}"
            report([key, index, "name"], message, "give each a name of its own")


def _check_references(
    config: Config,
    listeners: Sequence[tuple[int, Listener]],
    clusters: Sequence[tuple[int, Cluster]],
    report: Report,
) -> None:
    # A cluster whose name cannot be read might be the one that is meant.
    all_known = isinstance(config.clusters, tuple) and len(clusters) == len(config.clusters)
    if not all_known or not all(isinstance(cluster.name, str) for _, cluster in clusters):
        return
    names = list(dict.fromkeys(cluster.name for _, cluster in clusters))
    known = frozenset(names)
    for index, listener in listeners:
        for path, each in cluster_references(listener):
            if isinstance(each.cluster, str) and each.cluster not in known:
                hint = partial(did_you_mean, each.cluster, names, "the clusters are")
                report(["listeners", index, *path, "cluster"], f"no cluster {quoted(each.cluster)}", hint)


def _address(path: list[PathStep], text: object, report: Report) -> Address | None:
    if not isinstance(text, str):
        return None
    try:
        return parse_address(text)
    except AddressError as error:
        report(path, error.message, error.hint)
        return None


def _check_bindings(bound: Sequence[_Bound], report: Report) -> None:
    """No two may listen where the kernel would let only one, or would give its connections to either."""
    exact: dict[Address, list[PathStep]] = {}
    by_port: dict[tuple[int, int], list[PathStep]] = {}
    wildcards: dict[tuple[int, int], list[PathStep]] = {}
    for path, address in bound:
        if address.family != socket.AF_UNIX and address.port == 0:
            continue
        same = exact.setdefault(address, path)
        if same is not path:
            report(path, f"{address} is taken by {path_text(same)}", "give each an address of its own")
            continue
        if address.family == socket.AF_UNIX:
            continue
        port = (address.family, address.port)
        overlap = (by_port if address.is_wildcard else wildcards).get(port)
        if overlap is not None:
            report(path, f"{address} overlaps with {path_text(overlap)}", "use another port")
        by_port.setdefault(port, path)
        if address.is_wildcard:
            wildcards.setdefault(port, path)


def _check_unix_modes(listeners: Sequence[tuple[int, Listener]], report: Report) -> None:
    for index, listener in listeners:
        if not isinstance(listener.unix_mode, str) or not isinstance(listener.address, str):
            continue
        if not listener.address.startswith("unix:/"):
            message = f"{quoted(listener.address)} has no file to set the permissions of"
            report(["listeners", index, "unix_mode"], message, "remove it, or listen on unix:/path")


def _check_restart(restart: Restart, report: Report) -> None:
    # Only a file has permissions.
    if isinstance(restart.address, str) and not restart.address.startswith("unix:/"):
        message = f"{quoted(restart.address)} has no file that others could be kept from"
        report(["restart", "address"], message, "write a Unix socket with a path, for example unix:/run/restart.sock")


def _check_endpoints(
    clusters: Sequence[tuple[int, Cluster]], listeners: Sequence[tuple[int, Listener]], report: Report
) -> None:
    served = _addresses_by_cluster(listeners)
    for index, cluster in clusters:
        first: dict[Address | HostName, int] = {}
        own = served.get(cluster.name, {}) if isinstance(cluster.name, str) else {}
        for place, entry in enumerate(cluster.endpoints if isinstance(cluster.endpoints, tuple) else ()):
            path: list[PathStep] = ["clusters", index, "endpoints", place]
            if isinstance(entry, Endpoint):
                path.append("address")
            address = _endpoint(path, entry.address if isinstance(entry, Endpoint) else entry, report)
            if address is None:
                continue
            if first.setdefault(address, place) != place:
                other = path_text([*path[:3], first[address]])
                report(path, f"{address} stands here already, as {other}", "remove one")
            else:
                _check_endpoint(path, address, own, report)


def _endpoint(path: list[PathStep], text: object, report: Report) -> Address | HostName | None:
    if not isinstance(text, str):
        return None
    try:
        return parse_endpoint(text)
    except AddressError as error:
        report(path, error.message, error.hint)
        return None


def _check_endpoint(
    path: list[PathStep], address: Address | HostName, own: dict[Address | None, int], report: Report
) -> None:
    if isinstance(address, HostName):
        if address.port == 0:
            report(path, f"port 0 of {address} is no port to connect to", "write a port from 1 to 65535")
        return
    if address.is_wildcard:
        report(path, f"{address} is no address to connect to", "write the address of one host")
        return
    if address.family != socket.AF_UNIX and address.port == 0:
        report(path, f"port 0 of {address} is no port to connect to", "write a port from 1 to 65535")
        return
    taker = own.get(address, own.get(_wildcard_over(address)))
    if taker is not None:
        listener = path_text(["listeners", taker])
        report(path, f"{address} is where {listener} sends to this cluster from", "that would be a loop")


def _wildcard_over(address: Address) -> Address | None:
    """The wildcard address that takes connections to the loopback address `address`; None for another."""
    if address.family == socket.AF_INET and address.host.startswith("127."):
        return Address(socket.AF_INET, "0.0.0.0", address.port)
    if address.family == socket.AF_INET6 and address.host == "::1":
        return Address(socket.AF_INET6, "::", address.port)
    return None


def _addresses_by_cluster(listeners: Sequence[tuple[int, Listener]]) -> dict[str, dict[Address | None, int]]:
    """Of each cluster: the addresses of the listeners that send to it, and their indexes."""
    served: dict[str, dict[Address | None, int]] = {}
    for index, listener in listeners:
        if not isinstance(listener.address, str):
            continue
        try:
            address = parse_address(listener.address)
        except AddressError:
            continue
        for _, each in cluster_references(listener):
            if isinstance(each.cluster, str):
                served.setdefault(each.cluster, {}).setdefault(address, index)
    return served
