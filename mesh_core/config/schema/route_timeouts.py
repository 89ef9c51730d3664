"""How long the requests of a route may take."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta, Struct

from mesh_core.config.schema.common import NaturalInt


class RouteTimeouts(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Time-outs of a route's requests; what is not given here is as the virtual host says, then as the listener does.

    A tunnel, once an upgrade or CONNECT was granted, goes by none of them.
    """

    request_ms: Annotated[
        NaturalInt | None,
        Meta(
            description=(
                "Milliseconds from the last byte of a request to the last one of its response, retries and their "
                "waits included, after which it is answered by 504 (response flag UT), or cut where its response has "
                "begun; 0 for no limit. The Gateway API's request. Default: no limit, as in Istio: whatever we chose "
                "would cut somebody's download or event stream, and stream_idle_timeout_ms ends what hangs (Envoy: "
                "15000)."
            ),
            examples=[15_000],
        ),
    ] = None
    per_try_ms: Annotated[
        NaturalInt | None,
        Meta(
            description=(
                "Milliseconds from the last byte of a request that an endpoint was sent to the head of its response, "
                "after which the attempt is given up (response flag UT, 504); 0 for no limit. Connecting is not in it. "
                "The Gateway API's backendRequest. Default: no limit, as in Envoy."
            ),
            examples=[2000],
        ),
    ] = None
    stream_idle_ms: Annotated[
        NaturalInt | None,
        Meta(
            description=(
                "Milliseconds without a byte in either direction after which a request is given up (response flag "
                "SI); 0 for never. Default: the listener's stream_idle_timeout_ms."
            ),
            examples=[300_000],
        ),
    ] = None
    max_stream_duration_ms: Annotated[
        NaturalInt | None,
        Meta(
            description=(
                "Milliseconds from the head of a request to the last byte of its response (response flag DT); 0 for no "
                "limit. Default: the listener's max_stream_duration_ms."
            ),
            examples=[3_600_000],
        ),
    ] = None
