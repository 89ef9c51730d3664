"""Mirrors: clusters that get a copy of requests."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta, Struct

from mesh_core.config.schema.common import Fraction, Name, PositiveInt
from mesh_core.config.schema.endpoint import Labels


class Mirror(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A cluster that gets a copy of some requests. Nothing of it delays or fails the request itself."""

    cluster: Annotated[Name, Meta(description="The name of the cluster.", examples=["shadow"])]
    subset: Annotated[
        Labels | None,
        Meta(
            description=(
                "Labels of the endpoints that the copies go to, out of the cluster's `subsets`. Default: none, as of "
                "listeners."
            ),
            examples=[{"version": "v2"}],
        ),
    ] = None
    percentage: Annotated[
        Fraction,
        Meta(
            description=(
                "Percent of the requests, to four digits behind the point. Default: 100, as in the Gateway API and "
                "Envoy."
            ),
            examples=[10.0],
        ),
    ] = 100.0
    shadow_host: Annotated[
        bool,
        Meta(
            description=(
                "Append -shadow to the host of the copy's Host header, before its port: shop.example-shadow:8080. "
                "Default: true, as in Envoy (the Gateway API does not say)."
            )
        ),
    ] = True
    max_concurrent: Annotated[
        PositiveInt,
        Meta(
            description=(
                "Copies to this cluster under way at one time, in the whole process; one more is left out and counted. "
                "Default: 128, our choice: a mirror that hangs costs no more than that (Envoy: no limit but the "
                "cluster's)."
            ),
            examples=[16],
        ),
    ] = 128
    max_body_bytes: Annotated[
        Annotated[int, Meta(ge=0, le=16_777_216)],
        Meta(
            description=(
                "Bytes of a request's body that are kept for the copy, which is sent once the request is whole; a "
                "request with more has no copy, and is counted. Default: 65536, our choice (Envoy: the buffer limit)."
            ),
            examples=[65_536],
        ),
    ] = 65_536
    timeout_ms: Annotated[
        PositiveInt,
        Meta(
            description=(
                "Milliseconds from the copy's begin after which it is given up. Default: 15000, Envoy's route time-out."
            ),
            examples=[15_000],
        ),
    ] = 15_000
