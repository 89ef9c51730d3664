"""The world: everything that generators may know, immutable, and by host.

Made by `build` out of manifests and workloads; `with_workloads` makes the next one when only workloads have changed,
at a cost that does not grow with the mesh.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from msgspec import Struct

from mesh_core.config.host_name import is_host_name
from mesh_cp.model.names import patterns_of, resolve, service_host
from mesh_cp.model.problem import Problem
from mesh_cp.model.routes import Attached, Virtual
from mesh_cp.model.rules import Rule
from mesh_cp.model.service import Service, ServicePort, protocol_of
from mesh_cp.model.table import Table
from mesh_cp.model.workload import Workload, has_labels


class Settings(Struct, frozen=True, kw_only=True):
    """What holds for the whole mesh. `root_namespace`: whose DestinationRules hold for everybody, as in Istio."""

    root_namespace: str = "istio-system"


class HostPolicy(Struct, frozen=True, kw_only=True):
    """All that manifests say of a host, or of all hosts below one, for whatever client."""

    rules: tuple[Rule, ...] = ()
    virtuals: tuple[Virtual, ...] = ()
    http_routes: tuple[Attached, ...] = ()
    tcp_routes: tuple[Attached, ...] = ()


class World(Struct, frozen=True, kw_only=True):
    """One state of the mesh.

    `services` are by their hosts, those that only workloads have named too. `policies` are by hosts and by wildcards
    (*.shop.example), as manifests name them. `members` are the workloads of a host, by their ids. `selected` finds
    Services by a label that they ask for: `namespace/name=value` to hosts.
    """

    services: Table[Service]
    policies: Table[HostPolicy]
    members: Table[dict[str, Workload]]
    workloads: Table[Workload]
    selected: Mapping[str, tuple[str, ...]]
    problems: tuple[Problem, ...] = ()
    settings: Settings = Settings()

    def service(self, host: str) -> Service | None:
        """The service of a host; one that is no more than its routes where a VirtualService alone names it."""
        service = self.services.get(host)
        policy = self.policies.get(host)
        if service is None and policy is not None and policy.virtuals and resolve(host, "", self.services) == host:
            return Service(host=host, namespace="", name=host, ports=(_ROUTES_ONLY,), discovery="none")
        return service

    def policy(self, host: str) -> HostPolicy:
        """What manifests say of a host, by its own name or by a wildcard."""
        found = [self.policies[pattern] for pattern in patterns_of(host) if pattern in self.policies]
        if len(found) < 2:
            return found[0] if found else _NOTHING
        return HostPolicy(
            rules=tuple(rule for each in found for rule in each.rules),
            virtuals=tuple(virtual for each in found for virtual in each.virtuals),
            http_routes=found[0].http_routes,
            tcp_routes=found[0].tcp_routes,
        )

    def resolve(self, host: str, namespace: str) -> str:
        """The host that a manifest or a workload of `namespace` means by `host`."""
        return resolve(host, namespace, self.services)

    def hosts_of(self, workload: Workload) -> set[str]:
        """The hosts of the services that a workload belongs to."""
        hosts = {self.resolve(name, workload.namespace) for name in workload.services}
        for name, value in workload.labels.items():
            for host in self.selected.get(f"{workload.namespace}/{name}={value}", ()):
                if has_labels(workload.labels, self.services[host].selector):
                    hosts.add(host)
        return hosts


ANY_PORT = 80
"""The port of a service whose workloads serve whatever port they are asked for, and of which there is no manifest."""

_NOTHING = HostPolicy()
# Istio's port of a host that is in no registry.
_ROUTES_ONLY = ServicePort(number=80, target=80, name="http", protocol="http")


def with_workloads(world: World, changes: Mapping[str, Workload | None]) -> World:
    """The world after workloads have come, changed or gone (None), by their ids."""
    members: dict[str, dict[str, Workload]] = {}
    for identity, after in changes.items():
        before = world.workloads.get(identity)
        for workload, stays in ((before, False), (after, True)):
            for host in world.hosts_of(workload) if workload is not None else ():
                if host not in members:
                    members[host] = dict(world.members.get(host, {}))
                if stays and workload is not None:
                    members[host][identity] = workload
                else:
                    members[host].pop(identity, None)
    return World(
        services=world.services.changed(_registered(world, members)),
        policies=world.policies,
        members=world.members.changed({host: those or None for host, those in members.items()}),
        workloads=world.workloads.changed(changes),
        selected=world.selected,
        problems=world.problems,
        settings=world.settings,
    )


def _registered(world: World, members: Mapping[str, Mapping[str, Workload]]) -> dict[str, Service | None]:
    """The services without a manifest, as the workloads that name them have them; None for those that are gone."""
    changes: dict[str, Service | None] = {}
    for host, those in members.items():
        known = world.services.get(host)
        if known is None or known.key is None:
            after = registered_service(host, those.values())
            if after != known:
                changes[host] = after
    return changes


def registered_service(host: str, members: Iterable[Workload]) -> Service | None:
    """The service that workloads alone make, with the ports of all of them; None without any."""
    ports: dict[int, ServicePort] = {}
    name = namespace = ""
    for workload in sorted(members, key=lambda each: each.id):
        name, _, rest = host.partition(".")
        namespace = rest.partition(".")[0]
        for port in workload.ports:
            number = port.number or ANY_PORT
            protocol = protocol_of(number, port.name, None)
            ports.setdefault(number, ServicePort(number=number, target=number, name=port.name, protocol=protocol))
    # What workloads say of themselves is not to be trusted.
    if not name or service_host(name, namespace) != host or not is_host_name(host):
        return None
    return Service(host=host, namespace=namespace, name=name, ports=tuple(ports[number] for number in sorted(ports)))
