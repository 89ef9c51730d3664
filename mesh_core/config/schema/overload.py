"""Overload protection: what the proxy gives up first when it is itself short of something."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta, Struct

from mesh_core.config.schema.common import Percent, PositiveInt

_Threshold = Annotated[int, Meta(ge=1, le=100)]


class Overload(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Thresholds, in percent of what the process may use of memory or descriptors, whichever is nearer to its end.

    Each action begins at its threshold and ends `hysteresis` below it. Answers of routes themselves (redirect,
    direct_response) and the admin endpoint are never given up.
    """

    max_memory_bytes: Annotated[
        Annotated[int, Meta(ge=16_777_216, le=2**50)] | None,
        Meta(
            description=(
                "Bytes of resident memory that are 100 percent; embedded, the whole program's count. Default: none, "
                "memory is not looked at (Envoy's fixed_heap has no default either)."
            ),
            examples=[268_435_456],
        ),
    ] = None
    stop_keepalive: Annotated[
        _Threshold,
        Meta(
            description=(
                "From here on connections end with the answer that is under way. Default: 90 (Envoy's examples: 92)."
            ),
            examples=[90],
        ),
    ] = 90
    refuse_low: Annotated[
        _Threshold,
        Meta(
            description=(
                "From here on requests of routes with priority: low are answered by 503 (response flag OM). "
                "Default: 90, our choice."
            ),
            examples=[90],
        ),
    ] = 90
    refuse_default: Annotated[
        _Threshold,
        Meta(
            description=(
                "From here on those of routes with priority: default too. Default: 95, as Envoy's "
                "stop_accepting_requests in its examples."
            ),
            examples=[95],
        ),
    ] = 95
    refuse_connections: Annotated[
        _Threshold,
        Meta(
            description=(
                "From here on new connections are closed at once (response flag OM). Default: 97, our choice (Envoy's "
                "examples: 95): who is connected already may still be told 503."
            ),
            examples=[97],
        ),
    ] = 97
    refuse_high: Annotated[
        _Threshold,
        Meta(
            description="From here on those of routes with priority: high too. Default: 99, our choice.",
            examples=[99],
        ),
    ] = 99
    hysteresis: Annotated[
        Percent,
        Meta(
            description=(
                "How far below its threshold an action ends, so that it does not come and go. Default: 2, our choice "
                "(Envoy's thresholds have none)."
            ),
            examples=[2],
        ),
    ] = 2
    interval_ms: Annotated[
        PositiveInt,
        Meta(
            description="Milliseconds between two measurements. Default: 250, as Envoy's refresh_interval.",
            examples=[250],
        ),
    ] = 250
