"""The kinds that mean something here."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from msgspec import Struct

from mesh_cp.resources import (
    destination_rule_check,
    http_route_check,
    service,
    service_entry,
    tcp_route,
    virtual_service_check,
    workload_entry,
)
from mesh_cp.resources.common import Checks
from mesh_cp.resources.destination_rule import DestinationRuleSpec
from mesh_cp.resources.gateway_api import GATEWAY_GROUP
from mesh_cp.resources.http_route import HttpRouteSpec
from mesh_cp.resources.service import ServiceSpec
from mesh_cp.resources.service_entry import ServiceEntrySpec
from mesh_cp.resources.tcp_route import TcpRouteSpec
from mesh_cp.resources.virtual_service import VirtualServiceSpec
from mesh_cp.resources.workload_entry import WorkloadEntrySpec

Spec = (
    ServiceSpec
    | WorkloadEntrySpec
    | ServiceEntrySpec
    | DestinationRuleSpec
    | VirtualServiceSpec
    | HttpRouteSpec
    | TcpRouteSpec
)

ISTIO_GROUP = "networking.istio.io"
_ISTIO = ("v1", "v1beta1", "v1alpha3")
_GATEWAY = ("v1", "v1beta1", "v1alpha2", "v1alpha3")


class Kind(NamedTuple):
    """A kind: where it comes from, which versions of it are read alike, its type, and what must hold in it."""

    group: str
    name: str
    versions: tuple[str, ...]
    spec: type[Struct]
    check: Callable[[Any, Checks], None]


KINDS = (
    Kind("", "Service", ("v1",), ServiceSpec, service.check),
    Kind(ISTIO_GROUP, "WorkloadEntry", _ISTIO, WorkloadEntrySpec, workload_entry.check),
    Kind(ISTIO_GROUP, "ServiceEntry", _ISTIO, ServiceEntrySpec, service_entry.check),
    Kind(ISTIO_GROUP, "DestinationRule", _ISTIO, DestinationRuleSpec, destination_rule_check.check),
    Kind(ISTIO_GROUP, "VirtualService", _ISTIO, VirtualServiceSpec, virtual_service_check.check),
    Kind(GATEWAY_GROUP, "HTTPRoute", _GATEWAY, HttpRouteSpec, http_route_check.check),
    Kind(GATEWAY_GROUP, "TCPRoute", _GATEWAY, TcpRouteSpec, tcp_route.check),
)

_BY_NAME = {(kind.group, kind.name): kind for kind in KINDS}


def kind_of(api_version: str, name: str) -> Kind | None:
    """The kind of that name in the group of an apiVersion, whatever its version; None for one that means nothing."""
    group, slash, _ = api_version.partition("/")
    return _BY_NAME.get((group if slash else "", name))
