"""Circuit breakers: how much of the proxy one cluster may take."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta, Struct

from mesh_core.config.schema.common import PositiveInt

MaxConnections = Annotated[
    PositiveInt,
    Meta(
        description=(
            "Connections to the cluster that are open or being opened at one time; for HTTP those that wait in pools "
            "too, where a request that would need one more is answered by 503. Default: 1024, as in Envoy."
        ),
        examples=[1024],
    ),
]
MaxPendingConnections = Annotated[
    PositiveInt,
    Meta(
        description=(
            "Connections of TCP that wait for an endpoint to accept them, between two attempts too. Default: 1024, as "
            "Envoy's max_pending_requests."
        ),
        examples=[256],
    ),
]
MaxRequests = Annotated[
    PositiveInt,
    Meta(
        description="HTTP requests at one time, until their answers have ended. Default: 1024, as in Envoy.",
        examples=[1024],
    ),
]
MaxPendingRequests = Annotated[
    PositiveInt,
    Meta(
        description=(
            "HTTP requests that wait for a connection to be opened, between two attempts too. Default: 1024, as in "
            "Envoy."
        ),
        examples=[256],
    ),
]
MaxRetries = Annotated[
    PositiveInt | None,
    Meta(
        description=(
            "Retries of HTTP requests at one time, beside what the retry budget allows: a retry needs a place under "
            "both. Default: none, the budget is all (Envoy: 3 where there is no budget, which else goes before)."
        ),
        examples=[30],
    ),
]


class Thresholds(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Bounds of one priority."""

    max_connections: MaxConnections = 1024
    max_pending_connections: MaxPendingConnections = 1024
    max_requests: MaxRequests = 1024
    max_pending_requests: MaxPendingRequests = 1024
    max_retries: MaxRetries = None


class CircuitBreakers(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Bounds on the connections and requests of a cluster, over all workers. What is over one of them is refused.

    They are those of priority `default`, by which all TCP goes, and the requests of routes that say nothing else.
    """

    max_connections: MaxConnections = 1024
    max_pending_connections: MaxPendingConnections = 1024
    max_requests: MaxRequests = 1024
    max_pending_requests: MaxPendingRequests = 1024
    max_retries: MaxRetries = None
    high: Annotated[
        Thresholds,
        Meta(
            description=(
                "Bounds of the requests of routes with `priority: high`, and of the connections that are opened for "
                "them, beside the others. Default: as below."
            ),
        ),
    ] = Thresholds()
