"""Virtual hosts: which of a listener's requests go by which routes."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta, Struct

from mesh_core.config.schema.body_limits import BodyLimits
from mesh_core.config.schema.common import Name
from mesh_core.config.schema.cors import Cors
from mesh_core.config.schema.fault import FaultInjection
from mesh_core.config.schema.mirror import Mirror
from mesh_core.config.schema.rate_limit import RateLimit
from mesh_core.config.schema.route import Route
from mesh_core.config.schema.route_retry import RouteRetry
from mesh_core.config.schema.route_timeouts import RouteTimeouts


class VirtualHost(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Requests to some hosts, and their routes."""

    name: Annotated[
        Name,
        Meta(
            description="What logs and metrics call it. No other virtual host beside it has the same.",
            examples=["shop"],
        ),
    ]
    hosts: Annotated[
        tuple[str, ...],
        Meta(
            description=(
                "Hosts that requests ask for (Host header, or the target of CONNECT and of an absolute URL), in "
                "whatever case: a host name or an IP address (IPv6 in brackets), *. and a host name for all names "
                "below it, or * for any; each with a port (shop.example:8080) or for every port. The most exact "
                "counts: a whole name, then the longest after *., then *; of each, one with a port first."
            ),
            examples=[["shop.example", "*.shop.example"]],
        ),
    ]
    cors: Annotated[
        Cors | None,
        Meta(description="Which pages of other origins may use its routes, where those do not say. Default: none."),
    ] = None
    fault: Annotated[
        FaultInjection | None,
        Meta(description="Faults that some of its requests meet, where their routes do not say. Default: none."),
    ] = None
    rate_limits: Annotated[
        tuple[RateLimit, ...],
        Meta(
            description=(
                "How many requests its routes let through, all together, where those do not say; at most 8 rules. "
                "Default: no limit."
            )
        ),
    ] = ()
    mirrors: Annotated[
        tuple[Mirror, ...],
        Meta(
            description=(
                "Clusters that get a copy of some requests of its routes, where those do not say; at most 4. "
                "Default: none."
            )
        ),
    ] = ()
    routes: Annotated[
        tuple[Route, ...],
        Meta(
            description=(
                "What is done with its requests. A request that no route takes is answered with 404; other virtual "
                "hosts are not asked, as in Envoy. Default: none."
            ),
        ),
    ] = ()
    route_order: Annotated[
        Literal["most_exact", "listed"],
        Meta(
            description=(
                "Which of the routes that fit a request counts. most_exact: that of the most exact match, by the "
                "Gateway API's order. listed: the first in the list, as in Envoy and in Istio's VirtualService; they "
                "are then asked one by one. Default: most_exact, so that no route hides another by its place."
            ),
        ),
    ] = "most_exact"
    timeouts: Annotated[
        RouteTimeouts | None,
        Meta(
            description="How long its requests may take, where their route does not say. Default: as the listener says."
        ),
    ] = None
    body_limits: Annotated[
        BodyLimits | None,
        Meta(description="How large bodies may be, where their route does not say. Default: as the listener says."),
    ] = None
    retry: Annotated[
        RouteRetry | None,
        Meta(description="When requests are tried again, for those of its routes that do not say. Default: none."),
    ] = None
