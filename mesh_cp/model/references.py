"""Names in manifests that lead nowhere: destinations, subsets and ports that are not there."""

from __future__ import annotations

from collections.abc import Iterator

from mesh_cp.model.names import service_host
from mesh_cp.model.problem import Problem
from mesh_cp.model.world import World
from mesh_cp.resources import Resource
from mesh_cp.resources.destination_rule import DestinationRuleSpec
from mesh_cp.resources.gateway_api import BackendObject
from mesh_cp.resources.http_route import HttpRouteSpec
from mesh_cp.resources.tcp_route import TcpRouteSpec
from mesh_cp.resources.virtual_service import Destination, VirtualServiceSpec

_Reference = tuple[str, str, int | None, str | None]
"""The field's path, the host, the port and the subset."""


def check_references(world: World, resources: list[Resource], problems: list[Problem]) -> None:
    """Name every reference that leads nowhere; what is sent there is answered by 503, as long as that is so."""
    subsets = _subsets(world, resources)
    for resource in resources:
        for path, host, port, subset in _references(world, resource):
            service = world.services.get(host)
            if service is None:
                message = f"there is no service {host}"
            elif port is not None and service.port(port) is None:
                message = f"{host} has no port {port}"
            elif subset is not None and subset not in subsets.get(host, ()):
                message = f"no DestinationRule has a subset {subset} of {host}"
            else:
                continue
            problems.append(Problem(key=resource.key, path=path, message=message))


def _subsets(world: World, resources: list[Resource]) -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    for resource in resources:
        if isinstance(resource.spec, DestinationRuleSpec):
            host = world.resolve(resource.spec.host, resource.namespace)
            found.setdefault(host, set()).update(subset.name for subset in resource.spec.subsets)
    return found


def _references(world: World, resource: Resource) -> Iterator[_Reference]:
    spec = resource.spec
    if isinstance(spec, VirtualServiceSpec):
        for path, destination in _destinations(spec):
            host = world.resolve(destination.host, resource.namespace)
            yield path, host, destination.port.number if destination.port else None, destination.subset
    elif isinstance(spec, HttpRouteSpec | TcpRouteSpec):
        backends: list[tuple[BackendObject, ...]] = [rule.backend_refs for rule in spec.rules]
        for index, those in enumerate(backends):
            for place, backend in enumerate(those):
                host = service_host(backend.name, backend.namespace or resource.namespace)
                yield f"spec.rules[{index}].backendRefs[{place}]", host, backend.port, None


def _destinations(spec: VirtualServiceSpec) -> Iterator[tuple[str, Destination]]:
    for index, http in enumerate(spec.http):
        for place, each in enumerate(http.route):
            yield f"spec.http[{index}].route[{place}].destination", each.destination
        if http.mirror is not None:
            yield f"spec.http[{index}].mirror", http.mirror
        for place, mirror in enumerate(http.mirrors):
            yield f"spec.http[{index}].mirrors[{place}].destination", mirror.destination
    for index, tcp in enumerate(spec.tcp):
        for place, to in enumerate(tcp.route):
            yield f"spec.tcp[{index}].route[{place}].destination", to.destination
