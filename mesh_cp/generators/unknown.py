"""Hosts that a workload dials and nobody knows: looked up by DNS, where that is allowed."""

from __future__ import annotations

from mesh_core.config.schema import Cluster, Listener, Route, VirtualHost
from mesh_cp.generators.actions import UPGRADES
from mesh_cp.generators.names import OUTBOUND, dial_name, name_of, virtual_host_name
from mesh_cp.generators.output import Output, cluster_output, endpoint_output, listener_output, route_output
from mesh_cp.model.workload import joined


def passthrough(host: str, port: int, listen: str | None) -> tuple[Output, ...]:
    """The outputs that send to a host as it is; by `listen` connections, without it requests that name it."""
    name = name_of(f"passthrough:{host}:{port}")
    cluster = cluster_output(
        Cluster(name=name, type="strict_dns", endpoints=(), connect_timeout_ms=10_000, load_balancer="least_request")
    )
    endpoints = endpoint_output(name, (joined(host, port),))
    if listen is not None:
        listener = Listener(name=dial_name(host, port), address=listen, traffic_direction="outbound", cluster=name)
        return cluster, endpoints, listener_output(listener)
    route = Route(name="passthrough", cluster=name, upgrades=UPGRADES)
    virtual = VirtualHost(name=virtual_host_name(host, port), hosts=(f"{host}:{port}",), routes=(route,))
    return cluster, endpoints, route_output(OUTBOUND, virtual)
