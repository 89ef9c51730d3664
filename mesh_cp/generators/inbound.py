"""What a proxy does for its own workload: a listener for each port, and the cluster that is the workload."""

from __future__ import annotations

from mesh_core.config.schema import Cluster, Listener, Route, VirtualHost
from mesh_cp.generators.actions import UPGRADES
from mesh_cp.generators.names import inbound_name
from mesh_cp.generators.output import Output, cluster_output, endpoint_output, listener_output, route_output
from mesh_cp.generators.proxy import Inbound


def inbound(port: Inbound) -> tuple[Output, ...]:
    """The outputs for one port. It depends on nothing but the proxy itself."""
    name = inbound_name(port.number)
    cluster = cluster_output(Cluster(name=name, endpoints=(), connect_timeout_ms=10_000, panic_threshold_percent=0))
    endpoints = endpoint_output(name, (port.app,))
    if port.protocol != "http":
        listener = Listener(name=name, address=port.listen, traffic_direction="inbound", cluster=name)
        return cluster, endpoints, listener_output(listener)
    listener = Listener(
        name=name, address=port.listen, protocol="http", traffic_direction="inbound", virtual_hosts=()
    )
    route = Route(name="default", cluster=name, upgrades=UPGRADES)
    host = VirtualHost(name=name, hosts=("*",), routes=(route,))
    return cluster, endpoints, listener_output(listener), route_output(name, host)
