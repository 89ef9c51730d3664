"""Listeners: where connections come in."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta, Struct

from mesh_core.config.schema.common import Name, NaturalInt, PositiveInt
from mesh_core.config.schema.endpoint import Labels
from mesh_core.config.schema.filter_chain import FilterChain
from mesh_core.config.schema.http import HttpSettings
from mesh_core.config.schema.listener_tls import ListenerTls
from mesh_core.config.schema.route import Route
from mesh_core.config.schema.virtual_host import VirtualHost


class Listener(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Where the proxy takes connections, and what it does with them."""

    name: Annotated[
        Name,
        Meta(
            description="What logs, metrics and the admin endpoint call it. No other listener has the same.",
            examples=["in"],
        ),
    ]
    address: Annotated[
        str,
        Meta(
            description=(
                "Where to listen: an IP address and a port (127.0.0.1:8080, [::1]:8080; 0.0.0.0 and "
                "[::] stand for every address of their own family; port 0 takes a free one), or a Unix "
                "socket (unix:/run/in.sock, unix:@abstract-name; descriptors that a peer sends with "
                "SCM_RIGHTS are not passed on, and a connection that is cut looks closed, as Unix "
                "sockets know no reset)."
            ),
            examples=["127.0.0.1:8080"],
        ),
    ]
    cluster: Annotated[
        Name | None,
        Meta(
            description=(
                "The name of the cluster that its connections or requests go to; with filter_chains, those of "
                "connections that no chain fits. Exactly one of cluster, routes and virtual_hosts. Default: none; "
                "without any of the three, which is for listeners with filter_chains only, a connection that no chain "
                "fits is closed, as in Envoy."
            ),
            examples=["app"],
        ),
    ] = None
    subset: Annotated[
        Labels | None,
        Meta(
            description=(
                "Labels of the endpoints that its connections go to, out of the cluster's `subsets`. Default: none, "
                "which is any endpoint, or what the cluster's fallback_policy says."
            ),
            examples=[{"version": "v2"}],
        ),
    ] = None
    protocol: Annotated[
        Literal["tcp", "http"],
        Meta(
            description=(
                "What is spoken here, under TLS where there is any. tcp relays bytes as they come; http takes "
                "requests of HTTP/1.1 and 1.0 one by one. Default: tcp."
            ),
        ),
    ] = "tcp"
    http: Annotated[
        HttpSettings | None,
        Meta(description="Bounds and habits of protocol: http. Default: those of each field."),
    ] = None
    routes: Annotated[
        tuple[Route, ...] | None,
        Meta(
            description=(
                "With protocol http: what is done with its requests, whatever host they ask for; short for one virtual "
                "host, named *, with hosts: [\"*\"]. Default: none."
            ),
        ),
    ] = None
    virtual_hosts: Annotated[
        tuple[VirtualHost, ...] | None,
        Meta(
            description=(
                "With protocol http: what is done with its requests, by the host that they ask for. A request for "
                "another host is answered with 404. Default: none."
            ),
        ),
    ] = None
    filter_chains: Annotated[
        tuple[FilterChain, ...],
        Meta(
            description=(
                "Other clusters for some of its connections, chosen by where they come from, where they were made to, "
                "and what a TLS ClientHello says. Default: none."
            ),
        ),
    ] = ()
    inspection_timeout_ms: Annotated[
        PositiveInt,
        Meta(
            description=(
                "Milliseconds in which the whole ClientHello must have come, or the first byte of anything else. A "
                "connection that is later is closed. Waited for only where a filter chain asks for the server name, "
                "the application or the transport protocol. Default: 15000, as Envoy's listener filters."
            ),
            examples=[15000],
        ),
    ] = 15000
    traffic_direction: Annotated[
        Literal["inbound", "outbound"],
        Meta(
            description=(
                "Whether requests come to the workload beside the proxy or from it: who reports them in metrics, the "
                "destination or the source. Default: outbound, as Istio counts listeners that do not say."
            ),
            examples=["inbound"],
        ),
    ] = "outbound"
    max_connections: Annotated[
        PositiveInt | None,
        Meta(
            description=(
                "Connections open at one time. One more is accepted, counted "
                "and closed at once. Default: no limit of its own, as in Envoy."
            ),
            examples=[10000],
        ),
    ] = None
    idle_timeout_ms: Annotated[
        NaturalInt,
        Meta(
            description=(
                "Milliseconds without a byte in either direction after which a connection is closed; 0 "
                "for never. Default: one hour, as Envoy's tcp_proxy."
            ),
            examples=[3_600_000],
        ),
    ] = 3_600_000
    max_connection_duration_ms: Annotated[
        PositiveInt | None,
        Meta(
            description=(
                "Milliseconds after which a connection is closed, busy or not. Default: no limit, as in "
                "Envoy."
            ),
            examples=[86_400_000],
        ),
    ] = None
    accept_proxy_protocol: Annotated[
        bool,
        Meta(
            description=(
                "Whether every connection begins with a PROXY protocol header, v1 or v2, that names its "
                "true source. A connection without one is closed. Turn it on only where a trusted proxy "
                "is in front. Default: false, as in Envoy and HAProxy."
            ),
        ),
    ] = False
    proxy_protocol_timeout_ms: Annotated[
        PositiveInt,
        Meta(
            description=(
                "Milliseconds in which the whole PROXY protocol header must have come. Default: 5000, "
                "our choice: a proxy sends it with its first packet, and one retransmission fits "
                "(Envoy's listener filters: 15000)."
            ),
            examples=[5000],
        ),
    ] = 5000
    buffer_limit_bytes: Annotated[
        int,
        Meta(
            ge=4096,
            le=262144,
            description=(
                "Bytes kept for a slow reader, in each direction of a connection, before the proxy "
                "stops reading from the other side. Default: 262144, our choice, the size of a worker's "
                "receive buffer, which is also the most (Envoy: 1 MiB)."
            ),
            examples=[262144],
        ),
    ] = 262144
    backlog: Annotated[
        PositiveInt,
        Meta(
            description=(
                "Connections that may wait to be accepted. The kernel lowers it to net.core.somaxconn. "
                "Default: 4096, the kernel's own default for that setting since Linux 5.4."
            ),
            examples=[4096],
        ),
    ] = 4096
    unix_mode: Annotated[
        Annotated[str, Meta(pattern="^0?[0-7]{3}$", extra={"form": 'octal digits in quotes ("0660")'})]
        | None,
        Meta(
            description=(
                'Permissions of the socket\'s file, in octal and in quotes ("0660"), for unix:/path '
                "addresses only. Default: what the umask of the process leaves."
            ),
            examples=["0660"],
        ),
    ] = None
    tls: Annotated[
        ListenerTls | None,
        Meta(description="Speak TLS with clients. Default: none, what they send is relayed as it is."),
    ] = None
