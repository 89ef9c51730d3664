"""Clusters: where connections go to."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta, Struct

from mesh_core.config.schema.adaptive_concurrency import AdaptiveConcurrency
from mesh_core.config.schema.circuit_breakers import CircuitBreakers
from mesh_core.config.schema.cluster_http import ClusterHttp
from mesh_core.config.schema.cluster_tls import ClusterTls
from mesh_core.config.schema.common import Name, PositiveInt
from mesh_core.config.schema.endpoint import Endpoint
from mesh_core.config.schema.health_check import HealthCheck
from mesh_core.config.schema.load_balancing import (
    LeastRequest,
    LoadBalancerName,
    LocalityWeight,
    Maglev,
    PeakEwma,
    RingHash,
    SlowStart,
    Subsets,
)
from mesh_core.config.schema.outlier_detection import OutlierDetection
from mesh_core.config.schema.retry import Retry


class Cluster(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A group of endpoints that do the same job, and how to connect to them."""

    name: Annotated[
        Name,
        Meta(
            description="What listeners, logs and metrics call the cluster. No other cluster has the same.",
            examples=["app"],
        ),
    ]
    type: Annotated[
        Literal["static", "strict_dns", "logical_dns"],
        Meta(
            description=(
                "How the endpoints are found. static: they are what stands in `endpoints`. strict_dns: every "
                "address of every host name there is an endpoint. logical_dns: the one host name there is one "
                "endpoint, and new connections go to the first of its addresses. Default: static, as in Envoy."
            ),
        ),
    ] = "static"
    endpoints: Annotated[
        tuple[Annotated[str, Meta(examples=["127.0.0.1:9001"])] | Endpoint, ...],
        Meta(
            description=(
                "Addresses to connect to: an IP address and a port, or a Unix socket; in DNS clusters host names "
                "with a port too; or mappings that say more of one. Each stands here once. With an empty list every "
                "connection is closed (response flag UH)."
            ),
            examples=[["127.0.0.1:9001", "127.0.0.1:9002"]],
        ),
    ]
    connect_timeout_ms: Annotated[
        PositiveInt,
        Meta(
            description=(
                "Milliseconds in which an endpoint must have accepted a connection (response flag UF "
                "otherwise). Default: 5000, as in Envoy."
            ),
            examples=[5000],
        ),
    ] = 5000
    load_balancer: Annotated[
        LoadBalancerName,
        Meta(
            description=(
                "How an endpoint is chosen for a connection. round_robin takes each in turn; least_request the one "
                "of two that has fewer connections; random any; peak_ewma the one of two that costs less by its "
                "connect time and connections; ring_hash and maglev always the same for the same hash_policy. "
                "Default: round_robin, as in Envoy."
            ),
        ),
    ] = "round_robin"
    least_request: Annotated[
        LeastRequest | None,
        Meta(description="Options of load_balancer: least_request. Default: those of each field."),
    ] = None
    ring_hash: Annotated[
        RingHash | None,
        Meta(description="Options of load_balancer: ring_hash. Default: those of each field."),
    ] = None
    maglev: Annotated[
        Maglev | None,
        Meta(description="Options of load_balancer: maglev. Default: those of each field."),
    ] = None
    peak_ewma: Annotated[
        PeakEwma | None,
        Meta(description="Options of load_balancer: peak_ewma. Default: those of each field."),
    ] = None
    hash_policy: Annotated[
        Literal["source_ip"],
        Meta(
            description=(
                "What ring_hash and maglev go by. source_ip: the downstream's IP address without its port; that of "
                "the PROXY protocol header where one is accepted. Connections without one, as over Unix sockets, go "
                "anywhere. Default: source_ip (Envoy's tcp_proxy has no default, and then chooses at random)."
            ),
        ),
    ] = "source_ip"
    slow_start: Annotated[
        SlowStart | None,
        Meta(
            description=(
                "How an endpoint that joins or recovers comes to its full weight; not for ring_hash and maglev. "
                "Default: at once, as in Envoy."
            ),
        ),
    ] = None
    panic_threshold_percent: Annotated[
        int,
        Meta(
            ge=0,
            le=100,
            description=(
                "When less than this part of a priority's endpoints is healthy, in percent, and the other priorities "
                "cannot make up for it, health is disregarded there; 0 for never. Default: 50, as in Envoy."
            ),
            examples=[50],
        ),
    ] = 50
    overprovisioning_percent: Annotated[
        int,
        Meta(
            ge=100,
            le=10_000,
            description=(
                "What all endpoints of a priority or locality together can take, in percent of what they have to. At "
                "140 a priority hands nothing on before less than 100/140 of its endpoints are healthy. Default: "
                "140, as Envoy's overprovisioning_factor."
            ),
            examples=[140],
        ),
    ] = 140
    locality_weights: Annotated[
        tuple[LocalityWeight, ...],
        Meta(
            description=(
                "Shares of the localities, within each priority. Every locality of an endpoint has one then. Default: "
                "none; endpoints share by their own weights, wherever they are."
            ),
        ),
    ] = ()
    subsets: Annotated[
        Subsets | None,
        Meta(description="Parts of the endpoints that listeners may choose by labels. Default: none, as in Envoy."),
    ] = None
    dns_refresh_ms: Annotated[
        PositiveInt,
        Meta(
            description=(
                "Milliseconds until a name is looked up again when its answer has no TTL (a TTL of 0, the hosts "
                "file, no addresses) or `respect_dns_ttl` is false. For DNS clusters, as all that begins with "
                "dns. Default: 5000, as in Envoy."
            ),
            examples=[5000],
        ),
    ] = 5000
    respect_dns_ttl: Annotated[
        bool,
        Meta(
            description=(
                "Whether a name is looked up again when its answer's TTL, the shortest of its chain of names, "
                "is over. Default: true, as a TTL is what the name's owner asks for (Envoy: false)."
            ),
        ),
    ] = True
    dns_min_refresh_ms: Annotated[
        PositiveInt,
        Meta(
            description="Milliseconds that a TTL stands for at least. Default: 1000, the shortest TTL there is.",
            examples=[1000],
        ),
    ] = 1000
    dns_max_refresh_ms: Annotated[
        PositiveInt,
        Meta(
            description=(
                "Milliseconds that a TTL stands for at most. Default: 300000, our choice: a record that was "
                "published with a TTL of a day by mistake is left behind in minutes (Envoy: no limit)."
            ),
            examples=[300_000],
        ),
    ] = 300_000
    dns_failure_refresh_ms: Annotated[
        PositiveInt,
        Meta(
            description=(
                "Milliseconds until a failed look-up is tried again, doubled with each failure after another, and "
                "up to half of it taken off at random. Default: 1000, our choice (Envoy's "
                "dns_failure_refresh_rate: the refresh rate)."
            ),
            examples=[1000],
        ),
    ] = 1000
    dns_failure_max_refresh_ms: Annotated[
        PositiveInt,
        Meta(
            description="Milliseconds at which that doubling ends. Default: 10000, ten times the first, as in Envoy.",
            examples=[10000],
        ),
    ] = 10_000
    dns_lookup_family: Annotated[
        Literal["auto", "v4_only", "v6_only", "v4_preferred", "all"],
        Meta(
            description=(
                "Which addresses of a name are used. v4_only, v6_only: those of one family. v4_preferred: IPv4, "
                "or IPv6 when it has none. auto: IPv6, or IPv4 when it has none. all: both. Default: "
                "v4_preferred, as a host without an IPv6 route could reach nothing by auto, and a host behind "
                "two addresses would count twice with all (Envoy: auto)."
            ),
        ),
    ] = "v4_preferred"
    dns_resolvers: Annotated[
        tuple[Annotated[str, Meta(examples=["10.0.0.10"])], ...],
        Meta(
            description=(
                "IP addresses of the DNS servers to ask, with a port where it is not 53. Default: those of "
                "/etc/resolv.conf, whose search domains and options count in either case, and so does "
                "/etc/hosts."
            ),
            examples=[["10.0.0.10", "10.0.0.11:5353"]],
        ),
    ] = ()
    dns_query_timeout_ms: Annotated[
        PositiveInt,
        Meta(
            description=(
                "Milliseconds after which a look-up, repetitions and search domains included, has failed. A "
                "server that is silent is given a quarter of it before the next is asked. Default: 5000, as "
                "resolv.conf's timeout and Envoy's c-ares."
            ),
            examples=[5000],
        ),
    ] = 5000
    send_proxy_protocol: Annotated[
        Literal["v1", "v2"] | None,
        Meta(
            description=(
                "Begin each connection with a PROXY protocol header of this version, which tells the "
                "endpoint the true source. Default: no header, as in Envoy and HAProxy."
            ),
            examples=["v2"],
        ),
    ] = None
    tls: Annotated[
        ClusterTls | None,
        Meta(description="Speak TLS with endpoints. Default: none, what clients send is relayed as it is."),
    ] = None
    http: Annotated[
        ClusterHttp,
        Meta(description="Pools of connections for requests, where listeners speak HTTP. Default: as below."),
    ] = ClusterHttp()
    retry: Annotated[
        Retry,
        Meta(description="Trying again when an endpoint does not accept a connection. Default: as below."),
    ] = Retry()
    circuit_breakers: Annotated[
        CircuitBreakers | None,
        Meta(
            description=(
                "Bounds on connections and requests (response flag UO beyond them). Default: none, as in Istio: "
                "TCP connections live long, and Envoy's 1024 would cut off whoever has more of them."
            ),
        ),
    ] = None
    adaptive_concurrency: Annotated[
        AdaptiveConcurrency | None,
        Meta(
            description=(
                "A limit on requests that follows from how long they take (503 with response flag UO beyond it). `{}` "
                "turns it on. Default: none, as in Envoy."
            ),
        ),
    ] = None
    outlier_detection: Annotated[
        OutlierDetection | None,
        Meta(
            description=(
                "Keeping endpoints out for a while that fail more than others. `{}` turns it on. Default: off, as in "
                "Envoy."
            ),
        ),
    ] = None
    health_checks: Annotated[
        tuple[HealthCheck, ...],
        Meta(
            description=(
                "Active health checks; one at most, as in Envoy. A new endpoint gets no connections before it has "
                "passed one. Default: none."
            ),
        ),
    ] = ()
    close_connections_on_host_health_failure: Annotated[
        bool,
        Meta(
            description=(
                "Whether the connections to an endpoint are reset when its active health checks fail (response flag "
                "UC). Default: false, as in Envoy."
            ),
        ),
    ] = False
    on_endpoint_removal: Annotated[
        Literal["drain", "close"],
        Meta(
            description=(
                "What becomes of connections to an endpoint that is taken out of the cluster: drain lets them end by "
                "themselves, close resets them (response flag UC). A connection goes by the configuration that it "
                "began with. Default: drain, as Envoy's tcp_proxy."
            ),
        ),
    ] = "drain"
