"""VirtualService of Istio: where requests and connections to a host go. Of a list the first that fits counts."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from msgspec import Meta, Struct

from mesh_core.config.schema.common import HeaderName, HeaderValue, MethodName
from mesh_core.config.schema.cors import CorsOrigin
from mesh_cp.resources.common import Duration, Host, Labels, Percentage, PortNumber, QueryName, StringMatch
from mesh_cp.resources.destination_rule import PortSelector, SubsetName
from mesh_cp.resources.gaps import Gaps, error, warning
from mesh_cp.resources.service_entry import ExportTo

RouteName = Annotated[str, Meta(max_length=128)]
_Weight = Annotated[int, Meta(ge=0, le=1_000_000)]
_SUBNETS = error("connections are told apart by where they were dialled, not by address")


class Destination(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A host, and a port and a subset of it; a short name is of the VirtualService's namespace."""

    host: Host
    subset: SubsetName | None = None
    port: PortSelector | None = None


class HeaderOperations(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Changes of headers."""

    set: dict[HeaderName, HeaderValue] = {}
    add: dict[HeaderName, HeaderValue] = {}
    remove: tuple[HeaderName, ...] = ()


class Headers(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Changes of the headers of both directions."""

    request: HeaderOperations | None = None
    response: HeaderOperations | None = None


class HttpMatch(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True, rename="camel"):
    """What a request must be like, and the workload that it comes from."""

    gaps: ClassVar[Gaps] = {
        "scheme": error("every request of a workload comes without TLS"),
        "authority": error("the host is what hosts are for"),
        "statPrefix": warning("routes are counted by their names: of no effect here"),
    }

    name: RouteName | None = None
    uri: StringMatch | None = None
    method: StringMatch | None = None
    headers: dict[HeaderName, StringMatch] = {}
    port: PortNumber | None = None
    source_labels: Labels = {}
    gateways: tuple[str, ...] = ()
    query_params: dict[QueryName, StringMatch] = {}
    ignore_uri_case: bool = False
    without_headers: dict[HeaderName, StringMatch] = {}
    source_namespace: str | None = None


class HttpDestination(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One of the destinations that share requests."""

    destination: Destination
    weight: _Weight = 0
    headers: Headers | None = None


class HttpRedirect(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True, rename="camel"):
    """Another URL for the client."""

    gaps: ClassVar[Gaps] = {
        "prefixRewrite": error("write uri: the whole path"),
    }

    uri: str | None = None
    authority: str | None = None
    port: PortNumber | None = None
    derive_port: Literal["FROM_PROTOCOL_DEFAULT", "FROM_REQUEST_PORT"] | None = None
    scheme: Literal["http", "https"] | None = None
    redirect_code: Annotated[int, Meta(ge=0, le=308)] = 0


class HttpBody(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What a response holds."""

    gaps: ClassVar[Gaps] = {"bytes": error("write string")}

    string: Annotated[str, Meta(max_length=4096)] | None = None


class HttpDirectResponse(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """An answer of the proxy's own."""

    status: Annotated[int, Meta(ge=200, le=599)]
    body: HttpBody | None = None


class HttpRewrite(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True, rename="camel"):
    """Another path or host for the destination."""

    gaps: ClassVar[Gaps] = {"uriRegexRewrite": error("paths are rewritten whole, or by their prefix")}

    uri: str | None = None
    authority: str | None = None


class HttpRetry(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True, rename="camel"):
    """When and how often a request is tried again."""

    gaps: ClassVar[Gaps] = {
        "retryRemoteLocalities": warning("another endpoint is chosen as the first was: of no effect here"),
    }

    attempts: Annotated[int, Meta(ge=0, le=100)] = 0
    per_try_timeout: Duration | None = None
    retry_on: str | None = None
    retry_ignore_previous_hosts: bool | None = None
    backoff: Duration | None = None


class Percent(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A part of the requests, in percent."""

    value: Annotated[float, Meta(ge=0, le=100)] = 0.0


class Delay(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True, rename="camel"):
    """A wait before requests go on."""

    gaps: ClassVar[Gaps] = {"exponentialDelay": error("write fixedDelay")}

    fixed_delay: Duration
    percentage: Percent | None = None
    percent: Percentage | None = None


class Abort(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True, rename="camel"):
    """An answer in place of the destination's."""

    gaps: ClassVar[Gaps] = {"http2Error": error("write httpStatus")}

    http_status: Annotated[int, Meta(ge=200, le=599)] | None = None
    grpc_status: str | None = None
    percentage: Percent | None = None


class FaultInjection(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Failures on purpose."""

    delay: Delay | None = None
    abort: Abort | None = None


class Mirror(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Where copies of requests go."""

    destination: Destination
    percentage: Percent | None = None


class Cors(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True, rename="camel"):
    """Which pages of other origins may send requests."""

    allow_origin: tuple[CorsOrigin, ...] = ()
    allow_origins: tuple[StringMatch, ...] = ()
    allow_methods: tuple[MethodName, ...] = ()
    allow_headers: tuple[HeaderName, ...] = ()
    expose_headers: tuple[HeaderName, ...] = ()
    max_age: Duration | None = None
    allow_credentials: bool | None = None
    unmatched_preflights: Literal["UNSPECIFIED", "FORWARD", "IGNORE"] | None = None


class HttpRoute(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True, rename="camel"):
    """Requests that one of `match` fits, or all, and what is done with them."""

    gaps: ClassVar[Gaps] = {"delegate": error("write the other VirtualService's routes here")}

    name: RouteName | None = None
    match: tuple[HttpMatch, ...] = ()
    route: tuple[HttpDestination, ...] = ()
    redirect: HttpRedirect | None = None
    direct_response: HttpDirectResponse | None = None
    rewrite: HttpRewrite | None = None
    timeout: Duration | None = None
    retries: HttpRetry | None = None
    fault: FaultInjection | None = None
    mirror: Destination | None = None
    mirrors: tuple[Mirror, ...] = ()
    mirror_percent: Percentage | None = None
    mirror_percentage: Percent | None = None
    cors_policy: Cors | None = None
    headers: Headers | None = None


class TcpMatch(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True, rename="camel"):
    """What a connection must be like."""

    gaps: ClassVar[Gaps] = {"destinationSubnets": _SUBNETS, "sourceSubnet": _SUBNETS}

    port: PortNumber | None = None
    source_labels: Labels = {}
    gateways: tuple[str, ...] = ()
    source_namespace: str | None = None


class TcpDestination(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One of the destinations that share connections."""

    destination: Destination
    weight: _Weight = 0


class TcpRoute(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Connections that one of `match` fits, or all, and where they go."""

    match: tuple[TcpMatch, ...] = ()
    route: tuple[TcpDestination, ...] = ()


class VirtualServiceSpec(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True, rename="camel"):
    """What is done with what is sent to `hosts`, short names being of its namespace."""

    gaps: ClassVar[Gaps] = {"tls": error("connections are not routed by their server name yet")}

    hosts: tuple[Host, ...] = ()
    gateways: tuple[str, ...] = ()
    http: tuple[HttpRoute, ...] = ()
    tcp: tuple[TcpRoute, ...] = ()
    export_to: tuple[ExportTo, ...] = ()

    @property
    def is_for_mesh(self) -> bool:
        """Whether it holds for sidecars, and not for gateways only."""
        return not self.gateways or MESH_GATEWAY in self.gateways


MESH_GATEWAY = "mesh"
"""The gateway that stands for every sidecar."""


def applies_to_mesh(gateways: tuple[str, ...]) -> bool:
    """Whether a match with these gateways is for sidecars: it is where it names none."""
    return not gateways or MESH_GATEWAY in gateways
