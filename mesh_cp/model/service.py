"""Services as the mesh knows them, whichever kind of manifest, or none, they come from."""

from __future__ import annotations

from typing import Literal

from msgspec import Struct

from mesh_cp.resources import Key

Protocol = Literal["http", "tcp", "auto"]
"""auto: nobody said. Whoever speaks HTTP to it may, and what it serves is relayed as bytes."""

_HTTP = frozenset(("http", "kubernetes.io/ws"))
# HTTP/2 is not spoken to upstreams: it is relayed as bytes, as TLS is.
_TCP = frozenset(
    ("tcp", "tls", "https", "mongo", "redis", "mysql", "grpc", "grpc-web", "http2", "kubernetes.io/h2c")
)
# Server-first protocols of which Istio knows the ports.
_TCP_PORTS = frozenset((25, 53, 3306, 27017))


class ServicePort(Struct, frozen=True, kw_only=True):
    """A port of a service, and what its workloads call theirs: a number or a name."""

    number: int
    target: int | str
    name: str = ""
    protocol: Protocol = "auto"


class StaticEndpoint(Struct, frozen=True, kw_only=True):
    """An endpoint that a ServiceEntry writes down. `address` has no port, or is a Unix socket (unix:/path)."""

    address: str
    ports: dict[str, int] = {}
    labels: dict[str, str] = {}
    locality: str = ""
    weight: int = 1


Discovery = Literal["workloads", "static", "strict_dns", "logical_dns", "none"]


class Service(Struct, frozen=True, kw_only=True):
    """A host, its ports and how its endpoints are found.

    `discovery`: workloads, those that belong to it; static, `endpoints`; strict_dns and logical_dns, the addresses
    that are looked up for the names in `endpoints`; none, it only stands for what its routes say. With
    `members_by_name` its workloads may have host names for addresses, with `members_unready` they need not be healthy.
    `key` is the manifest's, None where there is none. `visible_to` are namespaces, empty for all.
    """

    host: str
    namespace: str
    name: str
    ports: tuple[ServicePort, ...]
    discovery: Discovery = "workloads"
    selector: dict[str, str] = {}
    endpoints: tuple[StaticEndpoint, ...] = ()
    is_external: bool = False
    members_by_name: bool = False
    members_unready: bool = False
    visible_to: frozenset[str] = frozenset()
    key: Key | None = None

    def port(self, number: int) -> ServicePort | None:
        """The port of that number."""
        return next((port for port in self.ports if port.number == number), None)

    def is_visible_to(self, namespace: str) -> bool:
        """Whether workloads of `namespace` may know it."""
        return not self.visible_to or namespace in self.visible_to


def protocol_of(number: int, name: str, declared: str | None) -> Protocol:
    """What a port speaks, as Istio tells it: by appProtocol or protocol, else by what its name begins with."""
    for text in (declared or "", name, name.partition("-")[0]):
        word = text.lower()
        if word in _HTTP:
            return "http"
        if word in _TCP:
            return "tcp"
    return "tcp" if number in _TCP_PORTS else "auto"


def visible_to(export_to: tuple[str, ...], namespace: str) -> frozenset[str]:
    """The namespaces that Istio's exportTo names: `.` is the manifest's own, `~` none; empty for all."""
    if not export_to or "*" in export_to:
        return frozenset()
    return frozenset(namespace if each == "." else each for each in export_to)
