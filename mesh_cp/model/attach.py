"""HTTPRoutes and TCPRoutes to the Services that they are attached to."""

from __future__ import annotations

from mesh_cp.model.names import service_host
from mesh_cp.model.problem import Problem
from mesh_cp.model.routes import Attached
from mesh_cp.model.world import World
from mesh_cp.resources import Resource
from mesh_cp.resources.http_route import HttpRouteSpec
from mesh_cp.resources.tcp_route import TcpRouteSpec

ByHost = dict[str, list[Attached]]


def attach(world: World, resources: list[Resource], problems: list[Problem]) -> tuple[ByHost, ByHost]:
    """The HTTPRoutes and the TCPRoutes of each host. What is attached to nothing is a problem."""
    http: ByHost = {}
    tcp: ByHost = {}
    for resource in resources:
        spec = resource.spec
        if not isinstance(spec, HttpRouteSpec | TcpRouteSpec):
            continue
        for index, parent in enumerate(spec.parent_refs):
            if not parent.is_service:
                continue
            namespace = parent.namespace or resource.namespace
            host = service_host(parent.name, namespace)
            service = world.services.get(host)
            path = f"spec.parentRefs[{index}]"
            if service is None:
                problems.append(Problem(key=resource.key, path=path, message=f"there is no Service {host}"))
            elif parent.port is not None and service.port(parent.port) is None:
                problems.append(Problem(key=resource.key, path=path, message=f"{host} has no port {parent.port}"))
            attached = Attached(
                key=resource.key,
                spec=spec,
                precedence=resource.precedence,
                port=parent.port,
                is_consumer=namespace != resource.namespace,
            )
            (http if isinstance(spec, HttpRouteSpec) else tcp).setdefault(host, []).append(attached)
    _check_tcp(tcp, problems)
    return http, tcp


def _check_tcp(routes: ByHost, problems: list[Problem]) -> None:
    """Connections have one route: name those that have no effect beside an older one."""
    for host, attached in routes.items():
        first: dict[tuple[int | None, str], Attached] = {}
        for each in sorted(attached, key=lambda route: route.precedence):
            group = (each.port, each.key.namespace if each.is_consumer else "")
            other = first.setdefault(group, each)
            if other is not each:
                message = f"connections to {host} go by {other.key}, which is older"
                problems.append(Problem(key=each.key, path="spec.parentRefs", message=message))
