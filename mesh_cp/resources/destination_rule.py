"""DestinationRule of Istio: subsets of a host's endpoints, and how connections to them are made."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from msgspec import Meta, Struct, field

from mesh_core.config.schema.common import FilePath, HeaderName
from mesh_core.config.schema.cookie import CookieName, CookiePath
from mesh_core.config.schema.tls import HostName
from mesh_cp.resources.common import (
    Duration,
    Host,
    Labels,
    Natural,
    Percentage,
    PortNumber,
    QueryName,
    Selector,
)
from mesh_cp.resources.gaps import Gaps, error, warning
from mesh_cp.resources.service_entry import ExportTo

SubsetName = Annotated[
    str,
    Meta(
        min_length=1,
        max_length=63,
        pattern=r"^[A-Za-z0-9]([A-Za-z0-9_.-]*[A-Za-z0-9])?$",
        extra={"form": "a subset's name (1 to 63 of A-Z a-z 0-9 - _ .)"},
    ),
]
_HTTP2 = warning("of HTTP/2, which upstreams are not spoken to: of no effect here")
_FAILOVER = warning("endpoints elsewhere are used when those of the proxy's locality fail: nothing else is supported")


class PortSelector(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A port by its number."""

    number: PortNumber


class RingHash(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True, rename="camel"):
    """Options of the ring."""

    minimum_ring_size: Annotated[int, Meta(ge=1, le=8_388_608)] = 1024


class Maglev(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True, rename="camel"):
    """Options of Maglev."""

    table_size: Annotated[int, Meta(ge=2, le=5_000_011)] = 65_537


class HttpCookie(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True, rename="camel"):
    """A cookie to hash; with `ttl` it is made where there is none."""

    gaps: ClassVar[Gaps] = {"attributes": warning("a cookie that is made has a path and a time only")}

    name: CookieName
    path: CookiePath = "/"
    ttl: Duration | None = None


class ConsistentHash(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True, rename="camel"):
    """What is hashed, and how the hash finds an endpoint."""

    http_header_name: HeaderName | None = None
    http_cookie: HttpCookie | None = None
    use_source_ip: bool | None = field(default=None, name="useSourceIp")
    http_query_parameter_name: QueryName | None = None
    ring_hash: RingHash | None = None
    maglev: Maglev | None = None
    minimum_ring_size: Annotated[int, Meta(ge=1, le=8_388_608)] | None = None


class Distribute(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Shares of the localities in what comes from one; keys and `from` may end in /*."""

    from_: str = field(name="from")
    to: dict[str, Percentage]


class LocalityLb(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True, rename="camel"):
    """How far from the proxy the endpoints may be."""

    gaps: ClassVar[Gaps] = {"failover": _FAILOVER, "failoverPriority": _FAILOVER}

    distribute: tuple[Distribute, ...] = ()
    enabled: bool | None = None


class Warmup(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True, rename="camel"):
    """How a new endpoint comes to its full weight."""

    duration: Duration
    minimum_percent: Annotated[float, Meta(ge=0.01, le=100)] = 10.0
    aggression: Annotated[float, Meta(ge=0.01, le=100)] = 1.0


class LoadBalancer(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True, rename="camel"):
    """How an endpoint is chosen."""

    gaps: ClassVar[Gaps] = {"zoneAwareLbSetting": _FAILOVER}

    simple: (
        Literal["UNSPECIFIED", "LEAST_CONN", "RANDOM", "PASSTHROUGH", "ROUND_ROBIN", "LEAST_REQUEST"] | None
    ) = None
    consistent_hash: ConsistentHash | None = None
    locality_lb_setting: LocalityLb | None = None
    warmup_duration_secs: Duration | None = None
    warmup: Warmup | None = None


class TcpKeepalive(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Named so that its fields are known; none has an effect."""

    gaps: ClassVar[Gaps] = {
        name: warning("keep-alive probes are not set: of no effect here") for name in ("probes", "time", "interval")
    }


class TcpSettings(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True, rename="camel"):
    """Bounds of connections."""

    gaps: ClassVar[Gaps] = {
        "idleTimeout": warning("listeners have the idle time-out of TCP, one hour: of no effect here"),
    }

    max_connections: Natural | None = None
    connect_timeout: Duration | None = None
    tcp_keepalive: TcpKeepalive | None = None
    max_connection_duration: Duration | None = None


class HttpSettings(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True, rename="camel"):
    """Bounds of requests."""

    gaps: ClassVar[Gaps] = {
        "h2UpgradePolicy": _HTTP2,
        "useClientProtocol": _HTTP2,
        "maxConcurrentStreams": _HTTP2,
        "http2KeepAlive": _HTTP2,
    }

    http1_max_pending_requests: Natural | None = None
    http2_max_requests: Natural | None = None
    max_requests_per_connection: Natural | None = None
    max_retries: Natural | None = None
    idle_timeout: Duration | None = None


class ConnectionPool(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """How much of the proxy one destination may take."""

    tcp: TcpSettings | None = None
    http: HttpSettings | None = None


class OutlierDetection(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True, rename="camel"):
    """When an endpoint is left out for a while."""

    gaps: ClassVar[Gaps] = {
        "outlierDetectionHttpErrorCodes": warning("status 500 to 599 count, no others: of no effect here"),
    }

    consecutive_errors: Natural | None = None
    split_external_local_origin_errors: bool = False
    consecutive_local_origin_failures: Natural | None = None
    consecutive_gateway_errors: Natural | None = None
    consecutive_5xx_errors: Natural | None = field(default=None, name="consecutive5xxErrors")
    interval: Duration | None = None
    base_ejection_time: Duration | None = None
    max_ejection_percent: Percentage | None = None
    min_health_percent: Percentage | None = None


class ClientTls(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True, rename="camel"):
    """TLS to the endpoints. Files are on the proxy's host."""

    gaps: ClassVar[Gaps] = {
        "credentialName": error("secrets are not read: write clientCertificate, privateKey and caCertificates"),
        "caCrl": error("lists of revoked certificates are not read"),
    }

    mode: Literal["DISABLE", "SIMPLE", "MUTUAL", "ISTIO_MUTUAL"] = "DISABLE"
    client_certificate: FilePath | None = None
    private_key: FilePath | None = None
    ca_certificates: FilePath | None = None
    subject_alt_names: tuple[str, ...] = ()
    sni: HostName | None = None
    insecure_skip_verify: bool = False


class RetryBudget(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True, rename="camel"):
    """How many of the requests may be retries."""

    gaps: ClassVar[Gaps] = {"budgetInterval": warning("what is under way counts, not what was: of no effect here")}

    percent: Annotated[float, Meta(ge=0, le=100)] = 20.0
    min_retry_concurrency: Natural = 3


class ProxyProtocol(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The header that connections begin with."""

    version: Literal["V1", "V2"] = "V1"


class PortTrafficPolicy(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True, rename="camel"):
    """What one port has instead of all that its destination has."""

    port: PortSelector
    load_balancer: LoadBalancer | None = None
    connection_pool: ConnectionPool | None = None
    outlier_detection: OutlierDetection | None = None
    tls: ClientTls | None = None


class TrafficPolicy(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True, rename="camel"):
    """How connections are made: to the host, or to a subset."""

    gaps: ClassVar[Gaps] = {"tunnel": error("tunnels through other proxies are not supported")}

    load_balancer: LoadBalancer | None = None
    connection_pool: ConnectionPool | None = None
    outlier_detection: OutlierDetection | None = None
    tls: ClientTls | None = None
    port_level_settings: tuple[PortTrafficPolicy, ...] = ()
    proxy_protocol: ProxyProtocol | None = None
    retry_budget: RetryBudget | None = None


class Subset(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True, rename="camel"):
    """The endpoints that have these labels."""

    name: SubsetName
    labels: Labels = {}
    traffic_policy: TrafficPolicy | None = None


class DestinationRuleSpec(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True, rename="camel"):
    """What holds for a host, short names being of the rule's namespace."""

    host: Host
    traffic_policy: TrafficPolicy | None = None
    subsets: tuple[Subset, ...] = ()
    export_to: tuple[ExportTo, ...] = ()
    workload_selector: Selector | None = None
