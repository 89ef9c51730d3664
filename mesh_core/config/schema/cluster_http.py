"""HTTP: the connections to a cluster's endpoints, which requests share one after the other."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta, Struct

from mesh_core.config.schema.common import NaturalInt, PositiveInt
from mesh_core.config.schema.http import HeaderBytes, HeaderCount


class ClusterHttp(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """How connections are pooled for requests of listeners with protocol: http, and what their answers may take.

    Each worker has a pool of its own for each endpoint, and takes out of it what it put back last.
    """

    idle_timeout_ms: Annotated[
        NaturalInt,
        Meta(
            description=(
                "Milliseconds that a connection may wait in the pool for its next request; 0 for ever. It should be "
                "less than the endpoint's own keep-alive time, or a request meets a connection that is just being "
                "closed. Default: 3000, as in Linkerd: below the 5 seconds of Node.js, uvicorn and Apache (Envoy: one "
                "hour)."
            ),
            examples=[3000],
        ),
    ] = 3000
    learn_idle_timeout: Annotated[
        bool,
        Meta(
            description=(
                "Whether to learn how long each endpoint leaves connections idle, by its Keep-Alive headers and by "
                "when it ends them, and to use none that is near that age. Default: true, our choice (Envoy and "
                "Linkerd do not)."
            )
        ),
    ] = True
    max_unrepeatable_idle_ms: Annotated[
        NaturalInt,
        Meta(
            description=(
                "Milliseconds: a request that must not be sent twice goes over no connection that has been idle for "
                "longer, nor for more than half of the endpoint's learned idle time-out, but over a new one. Default: "
                "1000, our choice: below the idle time-outs of common servers, the shortest of which are 2 to 5 s."
            ),
            examples=[1000],
        ),
    ] = 1000
    max_idle_connections: Annotated[
        PositiveInt,
        Meta(
            description=(
                "Connections that wait in one pool. One more is closed after its request. Default: 1024, our choice: "
                "as many as Envoy opens to a cluster (Envoy: no limit)."
            ),
            examples=[64],
        ),
    ] = 1024
    max_requests_per_connection: Annotated[
        PositiveInt | None,
        Meta(
            description="Requests after which a connection is closed. Default: no limit, as in Envoy.",
            examples=[10_000],
        ),
    ] = None
    max_connection_duration_ms: Annotated[
        PositiveInt | None,
        Meta(
            description=(
                "Milliseconds after which a connection takes no further request. Default: no limit, as in Envoy; "
                "give one where endpoints stand behind a balancer that new connections only make use of."
            ),
            examples=[600_000],
        ),
    ] = None
    max_header_bytes: Annotated[
        HeaderBytes,
        Meta(
            description=(
                "Bytes of a response's head, status line and empty line included, and of its trailers. For what is "
                "longer the downstream gets 502. Default: 61440, as Envoy's max_response_headers_kb."
            ),
            examples=[61440],
        ),
    ] = 61_440
    max_header_count: Annotated[
        HeaderCount,
        Meta(
            description=(
                "Header fields of a response, so too. Default: 100, as Envoy's max_headers_count."
            ),
            examples=[100],
        ),
    ] = 100
