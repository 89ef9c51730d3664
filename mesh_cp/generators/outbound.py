"""What a proxy needs for one port of a host that its workload dials: routes, or the cluster that connections go to."""

from __future__ import annotations

from collections.abc import Iterator

from mesh_core.config.schema import HttpSettings, Listener, Route, VirtualHost
from mesh_cp.generators import http_route_routes, virtual_service_routes
from mesh_cp.generators.actions import Share, answer, distinct, hash_policy, to_clusters
from mesh_cp.generators.context import Context
from mesh_cp.generators.names import OUTBOUND, cluster_name, dial_name, virtual_host_name
from mesh_cp.generators.output import ClusterRef, Output, Piece, listener_output, route_output
from mesh_cp.model import Service, ServicePort, World
from mesh_cp.model.names import names_of
from mesh_cp.model.routes import attached_for, virtual_for
from mesh_cp.model.rules import Client

UNKNOWN_STATUS = 502
"""What requests for hosts get that the workload does not dial, as from Istio's BlackHoleCluster."""

HTTP_PORT = 80

_HTTP = HttpSettings(forwarded_headers="keep")
"""The downstream of an outbound listener is the workload itself."""


def outbound_listener(address: str) -> Piece:
    """The listener that takes requests for every host, and what it says of those that it does not know."""
    listener = Listener(
        name=OUTBOUND, address=address, protocol="http", traffic_direction="outbound", http=_HTTP, virtual_hosts=()
    )
    unknown = VirtualHost(
        name="unknown",
        hosts=("*",),
        routes=(Route(name="unknown", **answer(UNKNOWN_STATUS, "no such host is known to the mesh\n")),),
    )
    return Piece(outputs=(listener_output(listener), route_output(OUTBOUND, unknown)), facts=frozenset())


def virtual_host(world: World, client: Client, service: Service, port: ServicePort, patterns: tuple[str, ...]) -> Piece:
    """The virtual host of a port in the outbound listener, for the hosts `patterns`."""
    context = Context(world, client)
    context.service(service.host)
    host = _virtual_host(context, service, port, patterns)
    return Piece(
        outputs=(route_output(OUTBOUND, host),),
        facts=frozenset(context.facts),
        needs=frozenset(context.needs),
        speaks_http=True,
    )


def dial(world: World, client: Client, service: Service, port: ServicePort, address: str) -> Piece:
    """The listener that stands for one port of a host, whatever host requests name."""
    context = Context(world, client)
    context.service(service.host)
    name = dial_name(service.host, port.number)
    if port.protocol == "http":
        listener = Listener(
            name=name, address=address, protocol="http", traffic_direction="outbound", http=_HTTP, virtual_hosts=()
        )
        host = _virtual_host(context, service, port, ("*",))
        outputs: tuple[Output, ...] = (listener_output(listener), route_output(name, host))
    else:
        ref = _tcp_reference(context, service, port)
        listener = Listener(name=name, address=address, traffic_direction="outbound", cluster=cluster_name(ref))
        outputs = (listener_output(listener),)
    return Piece(
        outputs=outputs,
        facts=frozenset(context.facts),
        needs=frozenset(context.needs),
        speaks_http=port.protocol == "http",
    )


def _virtual_host(context: Context, service: Service, port: ServicePort, patterns: tuple[str, ...]) -> VirtualHost:
    name = virtual_host_name(service.host, port.number)
    policy = context.policy(service.host)
    attached = attached_for(policy.http_routes, context.client, port.number)
    if attached:
        routes = http_route_routes.http_routes(context, attached)
        return VirtualHost(name=name, hosts=patterns, routes=distinct(routes, "most_exact"))
    virtual = virtual_for(policy.virtuals, context.client)
    if virtual is not None and virtual.spec.http:
        listed = virtual_service_routes.http_routes(context, virtual, port.number)
        return VirtualHost(name=name, hosts=patterns, route_order="listed", routes=distinct(listed, "listed"))
    return VirtualHost(name=name, hosts=patterns, routes=(_default(context, service, port),))


def _default(context: Context, service: Service, port: ServicePort) -> Route:
    """Where requests go of which nobody said anything."""
    ref = context.destination(service.host, port.number, "", port.number)
    return Route(
        name="default",
        hash_policy=hash_policy(context.effective(ref).load_balancer),
        **to_clusters((Share(ref, 1),)),
    )


def _tcp_reference(context: Context, service: Service, port: ServicePort) -> ClusterRef:
    policy = context.policy(service.host)
    attached = attached_for(policy.tcp_routes, context.client, port.number)
    found = http_route_routes.tcp_reference(context, attached)
    virtual = virtual_for(policy.virtuals, context.client)
    if found is None and virtual is not None:
        found = virtual_service_routes.tcp_reference(context, virtual, port.number)
    return found or context.destination(service.host, port.number, "", port.number)


def patterns_for(service: Service, port: ServicePort, namespace: str) -> Iterator[str]:
    """What requests for a port may have for their host, the whole name first.

    One without a port is for port 80, which stands for the first port of a service that has no 80: whoever goes
    through the proxy by hand need not know the number.
    """
    numbers = [port.number]
    speaking = [each.number for each in service.ports if each.protocol != "tcp"]
    if HTTP_PORT not in {each.number for each in service.ports} and port.number == speaking[0]:
        numbers.append(HTTP_PORT)
    for name in names_of(service.host, namespace):
        for number in numbers:
            yield f"{name}:{number}"
