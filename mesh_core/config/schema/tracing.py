"""Tracing context: how a trace is passed on from one hop to the next."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta, Struct

from mesh_core.config.schema.common import Fraction


class Tracing(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Which trace a request belongs to is read from its headers, or decided here, and passed on with a span of its own.

    What is malformed counts as absent, and is counted. The decision to sample a trace is kept.
    """

    propagation: Annotated[
        tuple[Literal["w3c", "b3", "b3_multi"], ...],
        Meta(
            description=(
                "Headers to read, the first that is there counts, and to write, all: w3c (traceparent and tracestate), "
                "b3 (one header) or b3_multi (X-B3-TraceId and so on). Others go on as they came. Default: w3c, as in "
                "Linkerd and OpenTelemetry (Istio: B3 with Zipkin)."
            ),
            examples=[["w3c", "b3_multi"]],
        ),
    ] = ("w3c",)
    random_sampling: Annotated[
        Fraction,
        Meta(
            description=(
                "Percent of the traces that begin here, or come without a decision, that are sampled. Default: 1, as "
                "in Istio (Envoy: 100)."
            ),
            examples=[1.0],
        ),
    ] = 1.0
