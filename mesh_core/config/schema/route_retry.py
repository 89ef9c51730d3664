"""Retries of requests: which attempts are made again, how often, and how soon."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta, Struct

from mesh_core.config.schema.common import MethodName, NaturalInt, Percent
from mesh_core.config.schema.route_match import HeaderMatch

RetryCondition = Literal[
    "5xx",
    "gateway-error",
    "reset",
    "reset-before-request",
    "connect-failure",
    "refused-stream",
    "retriable-4xx",
    "retriable-status-codes",
    "retriable-headers",
    "cancelled",
    "deadline-exceeded",
    "internal",
    "resource-exhausted",
    "unavailable",
]
_Milliseconds = Annotated[int, Meta(ge=1, le=300_000)]


class RequestRetryBudget(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """How many of a cluster's requests may be retries at one time, in all workers: the larger of the first two."""

    percent: Annotated[
        Percent,
        Meta(
            description=(
                "Of the cluster's requests, waiting ones included. In the long run, retries of requests that fail all "
                "the same are at most half of this share, too. Default: 20, as Envoy's retry budget."
            ),
            examples=[20],
        ),
    ] = 20
    min_concurrency: Annotated[
        NaturalInt,
        Meta(
            description=(
                "Retries that are allowed however few requests there are; 0 with a percentage of 0 allows none. "
                "Default: 3, as Envoy's min_retry_concurrency."
            ),
            examples=[3],
        ),
    ] = 3
    max_wait_ms: Annotated[
        int,
        Meta(
            ge=0,
            le=60_000,
            description=(
                "Milliseconds that a retry waits, behind its back-off, for a place under the budget before it is "
                "given up. Default: 250, our choice: when one endpoint hangs, all its requests are due at one moment "
                "(Envoy: 0)."
            ),
            examples=[250],
        ),
    ] = 250


class RouteRetry(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Trying a request again when an attempt to have it answered has failed, each time at another endpoint.

    What the upstream has provably not processed is always tried again; docs/retries.md says what proves it. Beyond
    that, only requests whose method permits it, or that carry Idempotency-Key, are sent twice.
    """

    attempts: Annotated[
        int,
        Meta(
            ge=0,
            le=10,
            description=(
                "Retries, the first attempt not counted; 0 for none at all, not even of connections that fail. "
                "Default: 2, as in Istio (Envoy: 1)."
            ),
            examples=[2],
        ),
    ] = 2
    retry_on: Annotated[
        tuple[RetryCondition, ...],
        Meta(
            description=(
                "Which failures, by Envoy's names. 5xx: a status from 500 on, or no answer; gateway-error: 502, 503, "
                "504, or no answer; reset: no answer; connect-failure, refused-stream, reset-before-request: nothing "
                "was processed, which is tried again whether named or not; retriable-4xx: 409; retriable-status-codes: "
                "`status_codes`; retriable-headers: `headers`; cancelled, deadline-exceeded, internal, "
                "resource-exhausted, unavailable: an answer whose head has that grpc-status. No answer is a connection "
                "that ended before the head of an answer, one that was malformed, or none within the route's "
                "per_try_ms. Default: gateway-error, reset and connect-failure, our choice: methods guard what is not "
                "to be done twice (Istio leaves out 503 and retries POST)."
            ),
            examples=[["5xx", "connect-failure"]],
        ),
    ] = ("gateway-error", "reset", "connect-failure")
    status_codes: Annotated[
        tuple[Annotated[int, Meta(ge=200, le=599)], ...],
        Meta(
            description=(
                "Statuses that are tried again, whether `retry_on` has retriable-status-codes or not, as Gateway API's "
                "`codes`. Default: none."
            ),
            examples=[[429, 503]],
        ),
    ] = ()
    headers: Annotated[
        tuple[HeaderMatch, ...],
        Meta(
            description=(
                "With retriable-headers: answers that any of these fits are tried again, at most 16. Default: none."
            ),
        ),
    ] = ()
    methods: Annotated[
        tuple[MethodName, ...],
        Meta(
            description=(
                "Methods that may be sent twice, in place of the idempotent ones. Default: GET, HEAD, OPTIONS, TRACE, "
                "PUT and DELETE (RFC 9110, section 9.2.2)."
            ),
            examples=[["GET", "HEAD"]],
        ),
    ] = ("GET", "HEAD", "OPTIONS", "TRACE", "PUT", "DELETE")
    non_idempotent: Annotated[
        bool,
        Meta(
            description=(
                "Whether every method may be sent twice, also what the upstream may have processed. Default: false, "
                "our choice: it is how payments are made twice (Envoy, Istio and Linkerd do not ask)."
            )
        ),
    ] = False
    base_interval_ms: Annotated[
        _Milliseconds,
        Meta(
            description=(
                "Milliseconds that bound the wait before the first retry, which is random below them. The bound "
                "doubles with each further retry. Default: 25, as in Envoy."
            ),
            examples=[25],
        ),
    ] = 25
    max_interval_ms: Annotated[
        _Milliseconds | None,
        Meta(
            description="Milliseconds that the bound grows to. Default: ten times base_interval_ms, as in Envoy.",
            examples=[250],
        ),
    ] = None
    max_retry_after_ms: Annotated[
        int,
        Meta(
            ge=0,
            le=300_000,
            description=(
                "Milliseconds of the longest wait that an answer may ask for by Retry-After: the retry comes after "
                "that and up to half as long again. An answer that asks for more is passed on. 0: Retry-After is "
                "ignored. Default: 5000, our choice (Envoy, where it is configured: 300000)."
            ),
            examples=[5000],
        ),
    ] = 5000
    max_body_bytes: Annotated[
        int,
        Meta(
            ge=0,
            le=16_777_216,
            description=(
                "Bytes of a request's body that are kept to be sent again, until the head of an answer has come. Once "
                "more than that has been sent, the request is not tried again. Default: 65536, as in Linkerd."
            ),
            examples=[65536],
        ),
    ] = 65536
    budget: Annotated[
        RequestRetryBudget,
        Meta(description="How many retries at one time, so that failures do not multiply load. Default: as below."),
    ] = RequestRetryBudget()
