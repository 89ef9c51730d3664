"""What a proxy does for its own workload: a listener for each port, and the cluster that is the workload."""

from __future__ import annotations

from mesh_core.config.schema import Cluster, Listener, Route, VirtualHost
from mesh_cp.generators.actions import UPGRADES
from mesh_cp.generators.context import Context
from mesh_cp.generators.names import inbound_name
from mesh_cp.generators.output import Output, Piece, cluster_output, endpoint_output, listener_output, route_output
from mesh_cp.generators.proxy import Inbound
from mesh_cp.model import Client, World
from mesh_cp.model.service import Protocol, protocol_of


def inbound(world: World, client: Client, port: Inbound) -> Piece:
    """The outputs for one port. What nobody says the protocol of is relayed as bytes."""
    context = Context(world, client)
    protocol = port.protocol if port.protocol != "auto" or not port.service else _protocol(context, port)
    return Piece(outputs=_outputs(port, protocol), facts=frozenset(context.facts))


def _protocol(context: Context, port: Inbound) -> Protocol:
    service = context.service(context.resolve(port.service, context.client.namespace))
    for each in service.ports if service is not None else ():
        if each.target in (port.number, port.name or None):
            return each.protocol
    return protocol_of(port.number, port.name, None)


def _outputs(port: Inbound, protocol: Protocol) -> tuple[Output, ...]:
    name = inbound_name(port.number)
    cluster = cluster_output(Cluster(name=name, endpoints=(), connect_timeout_ms=10_000, panic_threshold_percent=0))
    endpoints = endpoint_output(name, (port.app,))
    if protocol != "http":
        listener = Listener(name=name, address=port.listen, traffic_direction="inbound", cluster=name)
        return cluster, endpoints, listener_output(listener)
    listener = Listener(
        name=name, address=port.listen, protocol="http", traffic_direction="inbound", virtual_hosts=()
    )
    route = Route(name="default", cluster=name, upgrades=UPGRADES)
    host = VirtualHost(name=name, hosts=("*",), routes=(route,))
    return cluster, endpoints, listener_output(listener), route_output(name, host)
