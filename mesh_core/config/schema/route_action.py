"""What a route does with its requests: where they go, and what is changed on the way."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta, Struct

from mesh_core.config.schema.body_limits import BodyLimits
from mesh_core.config.schema.common import Name
from mesh_core.config.schema.cors import Cors
from mesh_core.config.schema.direct_response import DirectResponse
from mesh_core.config.schema.endpoint import Labels
from mesh_core.config.schema.fault import FaultInjection
from mesh_core.config.schema.hash_policy import HashPolicy
from mesh_core.config.schema.header_modifier import HeaderModifier
from mesh_core.config.schema.mirror import Mirror
from mesh_core.config.schema.rate_limit import RateLimit
from mesh_core.config.schema.redirect import Redirect
from mesh_core.config.schema.rewrite import Rewrite
from mesh_core.config.schema.route_retry import RouteRetry
from mesh_core.config.schema.route_timeouts import RouteTimeouts
from mesh_core.config.schema.session_affinity import SessionAffinity
from mesh_core.config.schema.weighted_cluster import WeightedCluster

UpgradeName = Annotated[
    str,
    Meta(
        max_length=64,
        pattern=r"^[A-Za-z0-9!#$%&'*+.^_`|~-]+(/[A-Za-z0-9!#$%&'*+.^_`|~-]+)?$",
        extra={"form": "the name of a protocol (websocket, or a name, a slash and a version), or connect"},
    ),
]


class RouteAction(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What a route does. Exactly one of cluster, clusters, redirect and direct_response; the rest goes beside."""

    cluster: Annotated[
        Name | None,
        Meta(description="The name of the cluster that its requests go to. Default: none.", examples=["app"]),
    ] = None
    subset: Annotated[
        Labels | None,
        Meta(
            description=(
                "With cluster: labels of the endpoints that they go to, out of the cluster's `subsets`. Default: none, "
                "as of listeners."
            ),
            examples=[{"version": "v2"}],
        ),
    ] = None
    clusters: Annotated[
        tuple[WeightedCluster, ...] | None,
        Meta(
            description=(
                "Clusters that share its requests by weight, at most 128. When all weights are 0 the answer is 500, as "
                "in the Gateway API. Default: none."
            ),
        ),
    ] = None
    redirect: Annotated[
        Redirect | None,
        Meta(description="Its requests are answered with another URL. Default: none."),
    ] = None
    direct_response: Annotated[
        DirectResponse | None,
        Meta(description="Its requests are answered by the proxy itself. Default: none."),
    ] = None
    priority: Annotated[
        Literal["low", "default", "high"],
        Meta(
            description=(
                "Which circuit breakers of the cluster its requests go by, those of low being default's; and which are "
                "refused first when the proxy is short of memory or descriptors: low, then default, then high. "
                "Default: default, as in Envoy, which knows no low."
            )
        ),
    ] = "default"
    rewrite: Annotated[
        Rewrite | None,
        Meta(description="What the upstream sees in place of the request's path and host. Default: none."),
    ] = None
    request_headers: Annotated[
        HeaderModifier | None,
        Meta(description="Changes of the headers that go to the upstream. Default: none."),
    ] = None
    response_headers: Annotated[
        HeaderModifier | None,
        Meta(description="Changes of the headers that go to the client, whoever answers. Default: none."),
    ] = None
    cors: Annotated[
        Cors | None,
        Meta(description="Which pages of other origins may use it (CORS). Default: as the virtual host says."),
    ] = None
    fault: Annotated[
        FaultInjection | None,
        Meta(description="Faults that some of its requests meet, for tests. Default: as the virtual host says."),
    ] = None
    rate_limits: Annotated[
        tuple[RateLimit, ...] | None,
        Meta(
            description=(
                "How many requests are let through, at most 8 rules; a request must pass all that it is subject to. "
                "Default: as the virtual host says."
            )
        ),
    ] = None
    mirrors: Annotated[
        tuple[Mirror, ...] | None,
        Meta(
            description=(
                "Clusters that get a copy of some requests, at most 4; what they answer is thrown away. Default: as "
                "the virtual host says."
            )
        ),
    ] = None
    hash_policy: Annotated[
        tuple[HashPolicy, ...],
        Meta(
            description=(
                "What the hash is made of that the load balancers ring_hash and maglev go by, at most 16 parts, "
                "combined as in Envoy. Default: none, they choose at random."
            ),
        ),
    ] = ()
    session_affinity: Annotated[
        SessionAffinity | None,
        Meta(description="Keep each session with one endpoint, whatever the load balancer. Default: none."),
    ] = None
    upgrades: Annotated[
        tuple[UpgradeName, ...],
        Meta(
            description=(
                "Protocols that a request may change to (websocket), and connect, which allows the method CONNECT. "
                "Default: none, our choice: requests to change are passed on without that wish (Envoy answers 403)."
            ),
            examples=[["websocket"]],
        ),
    ] = ()
    timeouts: Annotated[
        RouteTimeouts | None,
        Meta(description="How long its requests may take. Default: as the virtual host says."),
    ] = None
    body_limits: Annotated[
        BodyLimits | None,
        Meta(description="How large bodies may be. Default: as the virtual host says."),
    ] = None
    retry: Annotated[
        RouteRetry | None,
        Meta(
            description=(
                "When a request is tried again. Default: the virtual host's, else as the cluster's `retry` says, where "
                "only what was provably not processed is tried again, and what may be sent twice when it was lost on a "
                "connection that had been idle."
            )
        ),
    ] = None
