"""Clusters: where connections go to."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta, Struct

from mesh_core.config.schema.common import Name, PositiveInt
from mesh_core.config.schema.tls import ClusterTls


class Cluster(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A group of endpoints that do the same job, and how to connect to them."""

    name: Annotated[
        Name,
        Meta(
            description="What listeners, logs and metrics call the cluster. No other cluster has the same.",
            examples=["app"],
        ),
    ]
    endpoints: Annotated[
        tuple[Annotated[str, Meta(examples=["127.0.0.1:9001"])], ...],
        Meta(
            description=(
                "Addresses to connect to: an IP address and a port, or a Unix socket. Each stands here "
                "once. With an empty list every connection is closed (response flag UH)."
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
        Literal["round_robin"],
        Meta(
            description=(
                "How an endpoint is chosen for a connection. round_robin takes each in turn. Default: "
                "round_robin, as in Envoy."
            ),
        ),
    ] = "round_robin"
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
