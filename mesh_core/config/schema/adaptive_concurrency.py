"""Adaptive concurrency: a limit on requests that follows from how long they take."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta, Struct

from mesh_core.config.schema.common import Percent, PositiveInt


class MinRoundTrip(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """How the least round trip, that of an endpoint with little to do, is learned: in windows with a low limit."""

    interval_ms: Annotated[
        PositiveInt,
        Meta(
            description="Milliseconds between two windows. Default: 60000, as in Envoy's examples; it has no default.",
            examples=[60_000],
        ),
    ] = 60_000
    request_count: Annotated[
        PositiveInt,
        Meta(description="Requests that a window lasts. Default: 50, as in Envoy.", examples=[50]),
    ] = 50
    max_window_ms: Annotated[
        PositiveInt,
        Meta(
            description=(
                "Milliseconds after which a window ends with the requests that there were; without any, the least "
                "round trip stays what it was. Default: 1000, our choice, so that slow requests do not keep the limit "
                "low (Envoy: no end)."
            ),
            examples=[1000],
        ),
    ] = 1000
    jitter_percent: Annotated[
        Percent,
        Meta(
            description=(
                "Up to this percentage of interval_ms is added to it, at random, so that many proxies do not make "
                "their windows together. Default: 15, as in Envoy."
            ),
            examples=[15],
        ),
    ] = 15
    min_concurrency: Annotated[
        PositiveInt,
        Meta(
            description=(
                "The limit in a window, and the lowest there is. Default: 3, as in Envoy; raise it where more "
                "requests at one time are nothing to the endpoints, as fewer are refused in windows then."
            ),
            examples=[10],
        ),
    ] = 3
    buffer_percent: Annotated[
        Percent,
        Meta(
            description=(
                "By how much round trips may exceed the least one before the limit falls. Default: 25, as in Envoy."
            ),
            examples=[25],
        ),
    ] = 25
    fixed_ms: Annotated[
        PositiveInt | None,
        Meta(
            description=(
                "Milliseconds of the least round trip, where it is known: then there are no windows, and none of what "
                "they refuse. Default: none, it is learned, as in Envoy."
            ),
            examples=[5],
        ),
    ] = None


class AdaptiveConcurrency(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A limit on the requests of a cluster at one time that falls while they take longer than the least round trip.

    Envoy's gradient controller; its names, where they are not told in other units.
    """

    sample_aggregate_percentile: Annotated[
        Percent,
        Meta(description="Which of the round trips of an interval counts. Default: 50, as in Envoy.", examples=[90]),
    ] = 50
    concurrency_update_interval_ms: Annotated[
        PositiveInt,
        Meta(
            description=(
                "Milliseconds after which the limit is reckoned anew. Default: 100, as in Envoy's examples; it has no "
                "default."
            ),
            examples=[100],
        ),
    ] = 100
    max_concurrency_limit: Annotated[
        PositiveInt,
        Meta(description="The highest limit. Default: 1000, as in Envoy.", examples=[1000]),
    ] = 1000
    initial_concurrency_limit: Annotated[
        PositiveInt,
        Meta(
            description=(
                "The limit that a new cluster begins with, after its first window. Default: 100, our choice: a proxy "
                "that starts under load refuses less of it (Envoy: min_concurrency)."
            ),
            examples=[100],
        ),
    ] = 100
    min_round_trip: Annotated[
        MinRoundTrip,
        Meta(description="How the least round trip is learned (Envoy: min_rtt_calc_params). Default: as below."),
    ] = MinRoundTrip()
