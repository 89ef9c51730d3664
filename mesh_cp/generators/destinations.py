"""The cluster that a reference stands for, and its endpoints."""

from __future__ import annotations

from typing import NamedTuple

from msgspec import Struct

from mesh_core.config.schema import Locality
from mesh_cp.generators.clusters import cluster
from mesh_cp.generators.context import Context
from mesh_cp.generators.endpoints import endpoints, seen_from, shared_by_locality
from mesh_cp.generators.names import cluster_name
from mesh_cp.generators.output import ClusterRef, Piece, cluster_output, endpoint_output
from mesh_cp.generators.policy import effective
from mesh_cp.model import Client, Fact, Service, ServicePort, World
from mesh_cp.model.rules import Rule


class Found(Struct, frozen=True, kw_only=True):
    """A host as a client sees it: its service, None where it may know none, and the rule that holds."""

    service: Service | None
    rule: Rule
    facts: frozenset[Fact]


def find(world: World, client: Client, host: str) -> Found:
    """What `client` sees of `host`."""
    context = Context(world, client)
    rule = context.rule(host)
    return Found(service=context.service(host), rule=rule, facts=frozenset(context.facts))


class View(NamedTuple):
    """From where a destination is looked at: by a proxy at this place, for requests or for connections."""

    found: Found
    place: Locality
    speaks_http: bool


def destination(world: World, ref: ClusterRef, view: View) -> Piece:
    """The cluster of `ref`, and its endpoints.

    A host, port or subset that is not there makes a cluster without endpoints: requests are answered by 503.
    """
    name = cluster_name(ref)
    service, rule, place = view.found.service, view.found.rule, view.place
    port = service.port(ref.port) if service is not None else None
    subset = rule.subset(ref.subset)
    if service is None or port is None or (ref.subset and subset is None):
        service, port = Service(host=ref.host, namespace="", name="", ports=(), discovery="none"), _NOWHERE
    policy = effective(rule, ref.subset, ref.port)
    members = world.members.get(ref.host, {})
    those = endpoints(service, port, members, subset.labels if subset is not None else {})
    kept, weights = shared_by_locality(those, place, policy)
    return Piece(
        outputs=(
            cluster_output(cluster(name, service, policy, weights, speaks_http=view.speaks_http)),
            endpoint_output(name, seen_from(kept, place, policy)),
        ),
        facts=frozenset((Fact("service", ref.host), Fact("members", ref.host))),
    )


_NOWHERE = ServicePort(number=1, target=1)


def depends_on_place(rule: Rule, ref: ClusterRef) -> bool:
    """Whether proxies at different places get something else."""
    policy = effective(rule, ref.subset, ref.port)
    setting = policy.load_balancer.locality_lb_setting
    return policy.by_locality or (setting is not None and bool(setting.distribute))
