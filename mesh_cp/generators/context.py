"""What a generator of routes asks the world, noting every fact that the answer depends on."""

from __future__ import annotations

from mesh_cp.generators.output import ClusterRef
from mesh_cp.generators.policy import Effective, effective
from mesh_cp.model import Client, Fact, Service, World
from mesh_cp.model.names import meanings, patterns_of
from mesh_cp.model.rules import Rule, rule_for
from mesh_cp.model.world import HostPolicy


class Context:
    """The world, as one client sees it. `facts` are those that were asked for; `needs` the clusters that are used."""

    def __init__(self, world: World, client: Client) -> None:
        self.world = world
        self.client = client
        self.facts: set[Fact] = set()
        self.needs: set[ClusterRef] = set()

    def service(self, host: str) -> Service | None:
        """The service of a host, if the client may know it."""
        # A VirtualService alone makes a host, too, unless that is a short name of another.
        self.facts.add(Fact("policy", host))
        self.facts.update(Fact("service", each) for each in meanings(host, ""))
        service = self.world.service(host)
        return service if service is not None and service.is_visible_to(self.client.namespace) else None

    def policy(self, host: str) -> HostPolicy:
        """What manifests say of a host."""
        self.facts.update(Fact("policy", pattern) for pattern in patterns_of(host))
        return self.world.policy(host)

    def rule(self, host: str) -> Rule:
        """The DestinationRules that hold for the client."""
        service = self.service(host)
        namespace = service.namespace if service is not None else ""
        return rule_for(self.policy(host).rules, self.client, namespace, self.world.settings.root_namespace)

    def effective(self, ref: ClusterRef) -> Effective:
        """The traffic policy of a cluster."""
        return effective(self.rule(ref.host), ref.subset, ref.port)

    def resolve(self, host: str, namespace: str) -> str:
        """The host that a manifest of `namespace` means."""
        # Another service might come, and be meant.
        self.facts.update(Fact("service", each) for each in meanings(host, namespace))
        return self.world.resolve(host, namespace)

    def destination(self, host: str, port: int | None, subset: str, asked: int) -> ClusterRef:
        """The cluster of a destination, noted as needed.

        Without a port it is that of a service that has only one, else the one that was asked for, as in Istio.
        """
        service = self.service(host)
        if port is None:
            port = service.ports[0].number if service is not None and len(service.ports) == 1 else asked
        ref = ClusterRef(host, port, subset)
        self.needs.add(ref)
        return ref
