"""Routes of one host: which VirtualService, or which HTTPRoutes and TCPRoutes, hold for a client.

VirtualServices are not merged for sidecars, in Istio neither: of those for a host that a client may see, one holds,
first by how exactly it names the host, then those that are its namespace's own, then those exported to it by name,
then those for all; of each the oldest.

HTTPRoutes of one Service are merged, their rules by age. Those of another namespace than their Service (consumer
routes) hold for clients of that namespace, and go before those of the Service's own (producer routes), as GEP-1426
has it. They go before VirtualServices.
"""

from __future__ import annotations

from collections.abc import Iterable

from msgspec import Struct

from mesh_cp.model.names import specificity
from mesh_cp.model.rules import Client
from mesh_cp.model.service import visible_to
from mesh_cp.resources import Key, Resource
from mesh_cp.resources.http_route import HttpRouteSpec
from mesh_cp.resources.tcp_route import TcpRouteSpec
from mesh_cp.resources.virtual_service import VirtualServiceSpec


class Virtual(Struct, frozen=True, kw_only=True):
    """A VirtualService with one of its hosts, resolved."""

    host: str
    key: Key
    spec: VirtualServiceSpec
    precedence: tuple[int, str, str]
    visible_to: frozenset[str]

    @classmethod
    def of(cls, host: str, resource: Resource, spec: VirtualServiceSpec) -> Virtual:
        """That of a manifest."""
        return cls(
            host=host,
            key=resource.key,
            spec=spec,
            precedence=resource.precedence,
            visible_to=visible_to(spec.export_to, resource.namespace),
        )


class Attached(Struct, frozen=True, kw_only=True):
    """An HTTPRoute or TCPRoute with one Service that it is attached to: to a port of it, or to all (None)."""

    key: Key
    spec: HttpRouteSpec | TcpRouteSpec
    precedence: tuple[int, str, str]
    port: int | None
    is_consumer: bool


def virtual_for(virtuals: Iterable[Virtual], client: Client) -> Virtual | None:
    """The one that holds for `client`, out of those for a host."""

    def rank(virtual: Virtual) -> tuple[object, ...]:
        named, length = specificity(virtual.host)
        own = virtual.visible_to == {client.namespace} and virtual.key.namespace == client.namespace
        tier = 0 if own else 1 if virtual.visible_to else 2
        return not named, -length, tier, virtual.precedence

    seen = [virtual for virtual in virtuals if not virtual.visible_to or client.namespace in virtual.visible_to]
    return min(seen, key=rank, default=None)


def attached_for(attached: Iterable[Attached], client: Client, port: int) -> list[Attached]:
    """Those that hold for `client` at a port of their Service: the first is the oldest.

    Routes of that port go before routes of every port, since a parentRef with a port is the more exact.
    """
    here = [each for each in attached if each.port in (None, port)]
    own = [each for each in here if each.is_consumer and each.key.namespace == client.namespace]
    chosen = own or [each for each in here if not each.is_consumer]
    return sorted(chosen, key=lambda each: (each.port is None, each.precedence))
