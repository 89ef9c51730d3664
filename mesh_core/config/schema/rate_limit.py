"""Local rate limits: how many requests one proxy lets through."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta, Struct

from mesh_core.config.schema.common import Fraction, HeaderName, Name, PositiveInt
from mesh_core.config.schema.route_match import HeaderMatch

INTERVAL_MOST_MS = 86_400_000
DESCRIPTORS_MOST = 1_048_576


class RateLimitDescriptor(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A part of what tells the buckets of a rule apart: exactly one of header, source_address and path_segments."""

    header: Annotated[
        HeaderName | None,
        Meta(
            description=(
                "The value of this header; of several lines all, in order. Requests without it are not subject to the "
                "rule, as in Envoy. Default: none."
            ),
            examples=["x-user"],
        ),
    ] = None
    source_address: Annotated[
        bool,
        Meta(
            description=(
                "The address, without its port, that the request comes from; that of the PROXY protocol header where "
                "one is accepted. Default: false."
            )
        ),
    ] = False
    path_segments: Annotated[
        Annotated[int, Meta(ge=1, le=16)] | None,
        Meta(
            description=(
                "So many segments of the path, from its begin: with 2, /api/users/7 and /api/users/8 share a bucket. "
                "Default: none."
            ),
            examples=[2],
        ),
    ] = None


class RateLimit(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A token bucket, or one for each descriptor: a request that finds no token is answered by 429 (flag RL)."""

    name: Annotated[
        Name,
        Meta(
            description=(
                "What metrics call it. Rules of one name are the same in every field, and share their buckets, "
                "wherever they stand."
            ),
            examples=["api"],
        ),
    ]
    max_tokens: Annotated[
        PositiveInt,
        Meta(description="What a bucket holds, and begins with: how many may come at once.", examples=[100]),
    ]
    tokens_per_fill: Annotated[
        PositiveInt,
        Meta(
            description=(
                "Tokens that come in each fill_interval_ms, evenly spread over it. Default: 1, as in Envoy."
            ),
            examples=[100],
        ),
    ] = 1
    fill_interval_ms: Annotated[
        Annotated[int, Meta(ge=1, le=INTERVAL_MOST_MS)],
        Meta(
            description="Milliseconds of the interval, at most a day. Default: 1000, our choice (Envoy has none).",
            examples=[1000],
        ),
    ] = 1000
    descriptors: Annotated[
        tuple[RateLimitDescriptor, ...],
        Meta(
            description=(
                "What tells its buckets apart, at most 8 parts; each combination of their values has a bucket of its "
                "own. Default: none, one bucket."
            ),
        ),
    ] = ()
    max_descriptors: Annotated[
        Annotated[int, Meta(ge=1, le=DESCRIPTORS_MOST)],
        Meta(
            description=(
                "Buckets that are kept for them, 32 bytes each. A full bucket's place is anybody's; requests for which "
                "there is no place share one bucket more, and are counted. Default: 10000, our choice."
            ),
            examples=[100_000],
        ),
    ] = 10_000
    headers: Annotated[
        tuple[HeaderMatch, ...],
        Meta(description="Which requests are subject to it: all of these, at most 16. Default: every request."),
    ] = ()
    status: Annotated[
        int,
        Meta(
            ge=400,
            le=599,
            description="The status of a request that is refused. Default: 429, as in Envoy.",
            examples=[503],
        ),
    ] = 429
    enforced_percentage: Annotated[
        Fraction,
        Meta(
            description=(
                "Percent of the requests over the limit that are refused; the others are only counted. 0 tries a rule "
                "out. Default: 100 (Envoy: 0)."
            ),
            examples=[0.0],
        ),
    ] = 100.0
    retry_after: Annotated[
        bool,
        Meta(
            description=(
                "Tell who is refused in Retry-After after how many seconds there is a token. Default: true, our "
                "choice: clients that know it come back in time."
            )
        ),
    ] = True
    x_ratelimit_headers: Annotated[
        bool,
        Meta(
            description=(
                "Tell in every response x-ratelimit-limit, -remaining and -reset (seconds until the bucket is full), "
                "those of the rule that has the fewest tokens left. Default: false, as in Envoy."
            )
        ),
    ] = False
