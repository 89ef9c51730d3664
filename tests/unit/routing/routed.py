"""Requests and compiled routes for the tests of routing."""

from __future__ import annotations

from typing import Any

from mesh_core._testing.route_actions import Request, RouteActions
from mesh_core.config import load_builtins
from mesh_core.config.decode import decode
from mesh_core.config.faults import FaultList
from mesh_core.config.message import read_message
from mesh_core.config.schema.route_action import RouteAction
from mesh_core.control.compiler import Compiler
from mesh_core.control.endpoints import configured_endpoints
from mesh_core.snapshot.snapshot import Snapshot
from mesh_core.telemetry.stats import StatsRegistry


def request(
    target: str | bytes = "/", *fields: str | bytes, method: str = "GET", host: str | None = "shop.example", **more: Any
) -> Request:
    """A request of HTTP/1.1, or of 1.0 when it has no host. `fields`: whole lines."""
    lines: list[str | bytes] = [b"%s %s HTTP/1.%d" % (method.encode(), _bytes(target), host is not None)]
    lines += [*([] if host is None else [f"Host: {host}"]), *fields, "", ""]
    return Request(b"\r\n".join(map(_bytes, lines)), **more)


def _bytes(text: str | bytes) -> bytes:
    return text if isinstance(text, bytes) else text.encode()


def action(**described: Any) -> RouteAction:
    """What a configuration describes."""
    faults = FaultList()
    route = decode(read_message(described, faults), RouteAction, faults)
    faults.raise_if_any("route")
    assert isinstance(route, RouteAction)
    return route


def answering(*, prefix: str = "", **described: Any) -> RouteActions:
    """A compiled route that needs no cluster: a redirect or a direct response."""
    return RouteActions(action(**described), prefix=prefix.encode())


def forwarding(
    *,
    prefix: str = "",
    endpoints: dict[str, list[Any]] | None = None,
    subsets: dict[str, dict[frozenset[tuple[str, str]], int]] | None = None,
    listeners: tuple[dict[str, Any], ...] = (),
    settings: dict[str, Any] | None = None,
    **described: Any,
) -> tuple[RouteActions, Snapshot]:
    """A compiled route, to the cluster "app" unless said otherwise, and the snapshot of its clusters.

    `endpoints`: those of each cluster; `subsets`: the index of each subset, of each cluster; `settings`: more of every
    cluster.
    """
    members = {"app": ["10.0.0.1:80"]} if endpoints is None else endpoints
    clusters = [{"name": name, "endpoints": each, **(settings or {})} for name, each in members.items()]
    config = load_builtins({"clusters": clusters, "listeners": list(listeners)})
    snapshot = Compiler(1, StatsRegistry(1)).compile(config, {}, configured_endpoints(config))
    if not {"cluster", "clusters"} & set(described):
        described["cluster"] = "app"
    route = RouteActions(
        action(**described), prefix=prefix.encode(), snapshot=snapshot, clusters=config.clusters, subsets=subsets
    )
    return route, snapshot
