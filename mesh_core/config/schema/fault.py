"""Fault injection: delays and failures that some requests meet, to test what is downstream."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta, Struct

from mesh_core.config.schema.common import Fraction, PositiveInt
from mesh_core.config.schema.route_match import HeaderMatch

DELAY_MOST_MS = 3_600_000


class FaultDelay(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A delay before the request goes on."""

    fixed_ms: Annotated[
        Annotated[int, Meta(ge=1, le=DELAY_MOST_MS)],
        Meta(description="Milliseconds, at most an hour.", examples=[500]),
    ]
    percentage: Annotated[
        Fraction,
        Meta(
            description="Percent of the requests, to four digits behind the point. Default: 100, as in Istio.",
            examples=[1.5],
        ),
    ] = 100.0


class FaultAbort(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """An answer in place of the upstream's."""

    status: Annotated[int, Meta(ge=200, le=599, description="The status.", examples=[503])]
    percentage: Annotated[
        Fraction,
        Meta(
            description="Percent of the requests, to four digits behind the point. Default: 100, as in Istio.",
            examples=[0.1],
        ),
    ] = 100.0


class FaultInjection(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Delays (response flag DI) and failures (response flag FI) for some requests; a request may meet both."""

    delay: Annotated[FaultDelay | None, Meta(description="A delay. Default: none.")] = None
    abort: Annotated[FaultAbort | None, Meta(description="An answer of the proxy's own. Default: none.")] = None
    headers: Annotated[
        tuple[HeaderMatch, ...],
        Meta(description="What requests must be like to meet them, all of these, at most 16. Default: anything."),
    ] = ()
    by_request_headers: Annotated[
        bool,
        Meta(
            description=(
                "Whether requests may ask for faults, as Envoy's: x-envoy-fault-delay-request (milliseconds) and "
                "x-envoy-fault-abort-request (a status) in place of the values here, and both with -percentage behind "
                "for a smaller part, in percent, than the one here (100 where there is none). Default: false: who can "
                "reach the proxy could fail and hold what he likes."
            )
        ),
    ] = False
    max_active: Annotated[
        PositiveInt | None,
        Meta(
            description=(
                "Requests of the whole process that are delayed at one time by this fault; one more goes on at once "
                "and is counted. Default: no limit, as in Envoy."
            ),
            examples=[100],
        ),
    ] = None
