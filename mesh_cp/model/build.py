"""From manifests and workloads to a world: a pure function of both."""

from __future__ import annotations

from collections.abc import Iterable

from mesh_cp.model.attach import attach
from mesh_cp.model.names import meanings, service_host
from mesh_cp.model.problem import Problem
from mesh_cp.model.references import check_references
from mesh_cp.model.routes import Virtual
from mesh_cp.model.rules import Rule, merged
from mesh_cp.model.service import Discovery, Service, ServicePort, StaticEndpoint, protocol_of, visible_to
from mesh_cp.model.table import Table
from mesh_cp.model.workload import Workload, WorkloadPort, joined, locality
from mesh_cp.model.world import HostPolicy, Settings, World, with_workloads
from mesh_cp.resources import Key, Resource
from mesh_cp.resources.destination_rule import DestinationRuleSpec
from mesh_cp.resources.service import ServiceSpec
from mesh_cp.resources.service_entry import ServiceEntrySpec
from mesh_cp.resources.virtual_service import VirtualServiceSpec
from mesh_cp.resources.workload_entry import WorkloadEntrySpec, is_ip


def build(resources: Iterable[Resource], workloads: Iterable[Workload] = (), settings: Settings | None = None) -> World:
    """The world that these manifests and workloads make. Contradictions are in its `problems`."""
    ordered = sorted(resources, key=lambda resource: (resource.kind, resource.precedence))
    problems: list[Problem] = []
    services = _services(ordered, problems)
    world = World(
        services=Table(services.items()),
        policies=Table(),
        members=Table(),
        workloads=Table(),
        selected=_selected(services.values()),
        settings=settings or Settings(),
    )
    # Short names mean what is there, so services, those of workloads too, come before what names them.
    written = (written_workload(resource) for resource in ordered)
    everyone = [*workloads, *(workload for workload in written if workload is not None)]
    world = with_workloads(world, {workload.id: workload for workload in everyone})
    policies = _policies(world, ordered, problems)
    check_references(world, ordered, problems)
    return World(
        services=world.services,
        policies=Table(policies.items()),
        members=world.members,
        workloads=world.workloads,
        selected=world.selected,
        problems=tuple(dict.fromkeys(problems)),
        settings=world.settings,
    )


# --- services ---


def _services(resources: list[Resource], problems: list[Problem]) -> dict[str, Service]:
    found: dict[str, Service] = {}
    for resource in resources:
        spec = resource.spec
        made: list[Service] = []
        if isinstance(spec, ServiceSpec):
            made = [_service(resource, spec)]
        elif isinstance(spec, ServiceEntrySpec):
            made = [_entry(host.lower(), resource, spec) for host in spec.hosts]
        for service in made:
            first = found.setdefault(service.host, service)
            if first is not service:
                problems.append(
                    Problem(key=resource.key, path="spec.hosts", message=f"{service.host} is of {first.key} already")
                )
    return found


def _service(resource: Resource, spec: ServiceSpec) -> Service:
    ports = tuple(
        ServicePort(
            number=port.port,
            target=port.target_port if port.target_port is not None else port.port,
            name=port.name or "",
            protocol=protocol_of(port.port, port.name or "", port.app_protocol),
        )
        for port in spec.ports
        if port.protocol == "TCP"
    )
    alias = spec.external_name if spec.type == "ExternalName" else None
    return Service(
        host=service_host(resource.name, resource.namespace),
        namespace=resource.namespace,
        name=resource.name,
        ports=ports,
        discovery="workloads" if alias is None else "strict_dns",
        selector=spec.selector if alias is None else {},
        endpoints=() if alias is None else (StaticEndpoint(address=alias),),
        is_external=alias is not None,
        members_unready=spec.publish_not_ready_addresses,
        key=resource.key,
    )


def _entry(host: str, resource: Resource, spec: ServiceEntrySpec) -> Service:
    ports = tuple(
        ServicePort(
            number=port.number,
            target=port.target_port or port.number,
            name=port.name,
            protocol=protocol_of(port.number, port.name, port.protocol),
        )
        for port in spec.ports
    )
    selector = spec.workload_selector.wanted if spec.workload_selector is not None else {}
    endpoints = tuple(
        StaticEndpoint(
            address=_address(endpoint.address),
            ports=endpoint.ports,
            labels=endpoint.labels,
            locality=endpoint.locality,
            weight=max(endpoint.weight, 1),
        )
        for endpoint in spec.endpoints
    )
    if not endpoints and not selector and not host.startswith("*"):
        endpoints = (StaticEndpoint(address=host),)
    by_name = any(not each.address.startswith("unix:") and not is_ip(each.address) for each in endpoints)
    discovery: Discovery = "static"
    if selector:
        discovery = "workloads"
    elif by_name:
        discovery = "logical_dns" if spec.resolution == "DNS_ROUND_ROBIN" else "strict_dns"
    return Service(
        host=host,
        namespace=resource.namespace,
        name=host,
        ports=ports,
        discovery=discovery,
        members_by_name=bool(selector) and spec.resolution in ("DNS", "DNS_ROUND_ROBIN"),
        selector=selector,
        endpoints=endpoints,
        is_external=spec.location == "MESH_EXTERNAL",
        visible_to=visible_to(spec.export_to, resource.namespace),
        key=resource.key,
    )


def _address(text: str) -> str:
    """Istio's unix:///path in the proxy's words."""
    return f"unix:{text.removeprefix('unix://')}" if text.startswith("unix://") else text


def _selected(services: Iterable[Service]) -> dict[str, tuple[str, ...]]:
    """Where `hosts_of` finds services: by the first of the labels that each asks for."""
    found: dict[str, list[str]] = {}
    for service in services:
        for name, value in sorted(service.selector.items())[:1]:
            found.setdefault(f"{service.namespace}/{name}={value}", []).append(service.host)
    return {key: tuple(hosts) for key, hosts in found.items()}


def entry_id(key: Key) -> str:
    """The id of the workload that the WorkloadEntry of that key writes down."""
    return f"entry/{key.namespace}/{key.name}"


def written_workload(resource: Resource) -> Workload | None:
    """The workload that a manifest writes down, if that is what it does."""
    spec = resource.spec
    if not isinstance(spec, WorkloadEntrySpec):
        return None
    address = _address(spec.address)
    return Workload(
        id=entry_id(resource.key),
        namespace=resource.namespace,
        name=resource.name,
        ports=tuple(
            WorkloadPort(number=number, name=name, address=joined(address, number))
            for name, number in spec.ports.items()
        ),
        host=address,
        labels=spec.labels,
        locality=locality(spec.locality),
        weight=max(spec.weight, 1),
        service_account=spec.service_account or "default",
    )


# --- what is said of hosts ---


def _policies(world: World, resources: list[Resource], problems: list[Problem]) -> dict[str, HostPolicy]:
    rules: dict[str, list[Rule]] = {}
    virtuals: dict[str, list[Virtual]] = {}
    http_routes, tcp_routes = attach(world, resources, problems)
    # What a name means may change with the workloads, and then no manifest is read again.
    said = [
        (host, resource)
        for resource in resources
        if isinstance(resource.spec, DestinationRuleSpec)
        for host in meanings(resource.spec.host, resource.namespace)
    ]
    for rule in merged(said, problems):
        rules.setdefault(rule.host, []).append(rule)
    for resource in resources:
        if isinstance(resource.spec, VirtualServiceSpec) and resource.spec.is_for_mesh:
            named = [each for host in resource.spec.hosts for each in meanings(host, resource.namespace)]
            for host in dict.fromkeys(named):
                virtuals.setdefault(host, []).append(Virtual.of(host, resource, resource.spec))
    _check_virtuals(virtuals, problems)
    return {
        host: HostPolicy(
            rules=tuple(rules.get(host, ())),
            virtuals=tuple(virtuals.get(host, ())),
            http_routes=tuple(http_routes.get(host, ())),
            tcp_routes=tuple(tcp_routes.get(host, ())),
        )
        for host in {**rules, **virtuals, **http_routes, **tcp_routes}
    }


def _check_virtuals(virtuals: dict[str, list[Virtual]], problems: list[Problem]) -> None:
    """Name those that never hold: sidecars have one VirtualService for a host."""
    for host, those in virtuals.items():
        first: dict[frozenset[str], Virtual] = {}
        for virtual in sorted(those, key=lambda each: each.precedence):
            other = first.setdefault(virtual.visible_to, virtual)
            if other is not virtual:
                message = f"the routes of {host} are those of {other.key}, which is older"
                problems.append(Problem(key=virtual.key, path="spec.hosts", message=message))
