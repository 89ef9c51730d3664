"""Outlier detection: endpoints that fail more than others are kept out for a while."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta, Struct

from mesh_core.config.schema.common import NaturalInt, Percent, PositiveInt


class Accrual(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Ejection by failures in a row, whatever their kind, and return by a request that tries the endpoint (Linkerd)."""

    consecutive_failures: Annotated[
        PositiveInt,
        Meta(
            description="Failures in a row, as all workers see it, that eject. Default: 7, as in Linkerd.",
            examples=[7],
        ),
    ] = 7
    min_penalty_ms: Annotated[
        PositiveInt,
        Meta(
            description=(
                "Milliseconds after which one request tries the endpoint. If that fails too, twice as long until the "
                "next, and so on. Default: 1000, as in Linkerd."
            ),
            examples=[1000],
        ),
    ] = 1000
    max_penalty_ms: Annotated[
        PositiveInt,
        Meta(
            description=(
                "Milliseconds until the next try at most, jitter aside: an endpoint that is well again returns within "
                "them. Default: 60000, as in Linkerd."
            ),
            examples=[60_000],
        ),
    ] = 60_000
    jitter_percent: Annotated[
        Percent,
        Meta(
            description=(
                "Up to this percentage is added to each penalty, at random. Default: 50, as Linkerd's ratio of 0.5."
            ),
            examples=[50],
        ),
    ] = 50


class OutlierDetection(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """When an endpoint is ejected, and for how long.

    The names and defaults are Envoy's. Where connections are relayed, attempts to connect are what counts as requests,
    and local-origin failures the only ones.
    """

    consecutive_5xx: Annotated[
        PositiveInt,
        Meta(
            description=(
                "Requests in a row, as all workers see it, answered by a status from 500 on, or not answered, with "
                "which an endpoint is ejected at once. Default: 5, as in Envoy."
            ),
            examples=[5],
        ),
    ] = 5
    enforcing_consecutive_5xx: Annotated[
        Percent,
        Meta(
            description=(
                "Percentage of the outliers found so that are ejected; 0 only counts them. Default: 100, as in Envoy."
            ),
            examples=[100],
        ),
    ] = 100
    consecutive_gateway_failure: Annotated[
        PositiveInt,
        Meta(
            description=(
                "The same of requests answered by 502, 503 or 504, or not answered. Default: 5, as in Envoy."
            ),
            examples=[5],
        ),
    ] = 5
    enforcing_consecutive_gateway_failure: Annotated[
        Percent,
        Meta(
            description=(
                "Percentage of the outliers found so that are ejected; 0 only counts them. Default: 0, as in Envoy."
            ),
            examples=[100],
        ),
    ] = 0
    split_external_local_origin_errors: Annotated[
        bool,
        Meta(
            description=(
                "Whether requests that were not answered (no connection, a time-out, a reset) count apart from those "
                "answered by an error, as local-origin failures. Otherwise they count as 503 and 504. Default: false, "
                "as in Envoy."
            ),
        ),
    ] = False
    consecutive_local_origin_failure: Annotated[
        PositiveInt,
        Meta(
            description=(
                "Attempts to connect that failed in a row, as all workers see it, with which an endpoint is ejected at "
                "once; with split_external_local_origin_errors, requests that were not answered. Default: 5, as in "
                "Envoy."
            ),
            examples=[5],
        ),
    ] = 5
    enforcing_consecutive_local_origin_failure: Annotated[
        Percent,
        Meta(
            description=(
                "Percentage of the outliers found so that are ejected; 0 only counts them. Default: 100, as in Envoy."
            ),
            examples=[100],
        ),
    ] = 100
    accrual: Annotated[
        Accrual | None,
        Meta(
            description=(
                "Another rule for failures in a row, in place of consecutive_*, and for the return of every ejected "
                "endpoint, in place of ejection times. Default: none."
            ),
        ),
    ] = None
    interval_ms: Annotated[
        PositiveInt,
        Meta(
            description=(
                "Milliseconds between two sweeps, which judge success rates and failure percentages. Default: 10000, "
                "as in Envoy."
            ),
            examples=[10_000],
        ),
    ] = 10_000
    base_ejection_time_ms: Annotated[
        PositiveInt,
        Meta(
            description=(
                "Milliseconds that an ejection lasts, times how often the endpoint was ejected lately: the number "
                "falls by one with each sweep that finds it healthy. Default: 30000, as in Envoy."
            ),
            examples=[30_000],
        ),
    ] = 30_000
    max_ejection_time_ms: Annotated[
        PositiveInt,
        Meta(
            description=(
                "Milliseconds of the longest ejection, unless base_ejection_time_ms is longer. Default: 300000, as in "
                "Envoy."
            ),
            examples=[300_000],
        ),
    ] = 300_000
    max_ejection_time_jitter_ms: Annotated[
        NaturalInt,
        Meta(
            description=(
                "Milliseconds by which an ejection lasts longer at most, at random, so that endpoints do not return "
                "together. Default: 0, as in Envoy."
            ),
            examples=[1000],
        ),
    ] = 0
    max_ejection_percent: Annotated[
        Percent,
        Meta(
            description="The most of a cluster's endpoints that are ejected at one time. Default: 10, as in Envoy.",
            examples=[10],
        ),
    ] = 10
    always_eject_one_host: Annotated[
        bool,
        Meta(
            description=(
                "Whether one endpoint may be ejected even if that is more than max_ejection_percent. Default: true, "
                "our choice: without it a cluster of fewer than ten endpoints would never eject any (Envoy: false)."
            ),
        ),
    ] = True
    success_rate_minimum_hosts: Annotated[
        PositiveInt,
        Meta(
            description=(
                "Endpoints that must have had success_rate_request_volume in an interval before success rates are "
                "compared. Default: 5, as in Envoy."
            ),
            examples=[5],
        ),
    ] = 5
    success_rate_request_volume: Annotated[
        PositiveInt,
        Meta(
            description=(
                "Requests, or attempts to connect, that an endpoint must have had in an interval for its success rate "
                "to count. Default: 100, as in Envoy."
            ),
            examples=[100],
        ),
    ] = 100
    success_rate_stdev_factor: Annotated[
        NaturalInt,
        Meta(
            description=(
                "An endpoint is an outlier when its success rate is below the mean minus this many thousandths of the "
                "standard deviation. Default: 1900, as in Envoy."
            ),
            examples=[1900],
        ),
    ] = 1900
    success_rate_tolerated_percent: Annotated[
        Percent,
        Meta(
            description=(
                "An endpoint of which at least this percentage succeeded is no outlier. Default: 95, our choice: where "
                "the others are all but perfect, the deviation is so small that one failure in a thousand would be "
                "ejected for it (Envoy: 100)."
            ),
            examples=[95],
        ),
    ] = 95
    enforcing_success_rate: Annotated[
        Percent,
        Meta(
            description=(
                "Percentage of the outliers found by success rate that are ejected; 0 only counts them. Default: 100, "
                "as in Envoy."
            ),
            examples=[100],
        ),
    ] = 100
    enforcing_local_origin_success_rate: Annotated[
        Percent,
        Meta(
            description="The same for the success rate of local origin. Default: 100, as in Envoy.",
            examples=[100],
        ),
    ] = 100
    failure_percentage_threshold: Annotated[
        Percent,
        Meta(
            description=(
                "An endpoint is an outlier when at least this percentage of its requests, or attempts to connect, in "
                "an interval failed. Default: 85, as in Envoy."
            ),
            examples=[85],
        ),
    ] = 85
    failure_percentage_minimum_hosts: Annotated[
        PositiveInt,
        Meta(
            description=(
                "Endpoints that must have had failure_percentage_request_volume in an interval before failure "
                "percentages are judged. Default: 5, as in Envoy."
            ),
            examples=[5],
        ),
    ] = 5
    failure_percentage_request_volume: Annotated[
        PositiveInt,
        Meta(
            description=(
                "Requests, or attempts to connect, that an endpoint must have had in an interval for its failure "
                "percentage to count. Default: 50, as in Envoy."
            ),
            examples=[50],
        ),
    ] = 50
    enforcing_failure_percentage: Annotated[
        Percent,
        Meta(
            description=(
                "Percentage of the outliers found by failure percentage that are ejected; 0 only counts them. "
                "Default: 0, as in Envoy."
            ),
            examples=[100],
        ),
    ] = 0
    enforcing_failure_percentage_local_origin: Annotated[
        Percent,
        Meta(
            description="The same for the failure percentage of local origin. Default: 0, as in Envoy.",
            examples=[100],
        ),
    ] = 0
    successful_active_health_check_uneject_host: Annotated[
        bool,
        Meta(
            description=(
                "Whether an active health check that an ejected endpoint passes lets it return at once. Default: "
                "true, as in Envoy."
            ),
        ),
    ] = True
