"""Retries: when a connection to an endpoint is tried again."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta, Struct

from mesh_core.config.schema.common import NaturalInt, Percent


class RetryBudget(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """How many of a cluster's connections may be retries at one time: the larger of both."""

    percent: Annotated[
        Percent,
        Meta(
            description=(
                "Of the cluster's connections, open and being opened, in all workers. Default: 20, as Envoy's retry "
                "budget."
            ),
            examples=[20],
        ),
    ] = 20
    min_concurrency: Annotated[
        NaturalInt,
        Meta(
            description=(
                "Retries that are allowed however few connections there are; 0 with a percentage of 0 allows none. "
                "Default: 3, as Envoy's min_retry_concurrency."
            ),
            examples=[3],
        ),
    ] = 3


class Retry(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Trying again when an endpoint refuses a connection, or does not accept it in time."""

    max_connect_attempts: Annotated[
        Annotated[int, Meta(ge=1, le=10)],
        Meta(
            description=(
                "Attempts in all, each at an endpoint that was not tried yet while there is one; 1 for no retries. "
                "Default: 3, as Istio's two retries: no byte has been passed on before an endpoint accepts, so trying "
                "again is always safe, and the budget bounds it (Envoy's tcp_proxy: 1)."
            ),
            examples=[3],
        ),
    ] = 3
    base_interval_ms: Annotated[
        Annotated[int, Meta(ge=1, le=60_000)],
        Meta(
            description=(
                "Milliseconds that bound the wait before the first retry, which is random below them. The bound "
                "doubles with each further retry, up to ten times. Default: 25, as in Envoy."
            ),
            examples=[25],
        ),
    ] = 25
    budget: Annotated[
        RetryBudget,
        Meta(description="How many retries at one time, so that failures do not multiply load. Default: as below."),
    ] = RetryBudget()
