"""Outlier detection: endpoints that fail more than others are kept out for a while."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta, Struct

from mesh_core.config.schema.common import NaturalInt, Percent, PositiveInt


class OutlierDetection(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """When an endpoint is ejected, and for how long.

    The names and defaults are Envoy's; what Envoy counts as requests are connection attempts here.
    """

    consecutive_local_origin_failure: Annotated[
        PositiveInt,
        Meta(
            description=(
                "Connection attempts to an endpoint that failed in a row, as all workers see it, with which it is "
                "ejected at once. Default: 5, as in Envoy."
            ),
            examples=[5],
        ),
    ] = 5
    enforcing_consecutive_local_origin_failure: Annotated[
        Percent,
        Meta(
            description=(
                "Percentage of the outliers found by failures in a row that are ejected; 0 only counts them. Default: "
                "100, as in Envoy."
            ),
            examples=[100],
        ),
    ] = 100
    interval_ms: Annotated[
        PositiveInt,
        Meta(
            description=(
                "Milliseconds between two sweeps, which judge success rates and let endpoints return. Default: 10000, "
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
                "Connection attempts that an endpoint must have had in an interval for its success rate to count. "
                "Default: 100, as in Envoy."
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
    enforcing_local_origin_success_rate: Annotated[
        Percent,
        Meta(
            description=(
                "Percentage of the outliers found by success rate that are ejected; 0 only counts them. Default: 100, "
                "as in Envoy."
            ),
            examples=[100],
        ),
    ] = 100
    failure_percentage_threshold: Annotated[
        Percent,
        Meta(
            description=(
                "An endpoint is an outlier when at least this percentage of its connection attempts in an interval "
                "failed. Default: 85, as in Envoy."
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
                "Connection attempts that an endpoint must have had in an interval for its failure percentage to "
                "count. Default: 50, as in Envoy."
            ),
            examples=[50],
        ),
    ] = 50
    enforcing_failure_percentage_local_origin: Annotated[
        Percent,
        Meta(
            description=(
                "Percentage of the outliers found by failure percentage that are ejected; 0 only counts them. "
                "Default: 0, as in Envoy."
            ),
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
