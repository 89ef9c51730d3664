"""How the endpoints of a cluster share its connections: the options of each balancer, and what all have in common."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta, Struct

from mesh_core.config.schema.common import PositiveInt
from mesh_core.config.schema.endpoint import LabelKey, Labels, Locality

LoadBalancerName = Literal["round_robin", "least_request", "random", "ring_hash", "maglev", "peak_ewma"]


class LeastRequest(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Options of the load balancer least_request."""

    choice_count: Annotated[
        int,
        Meta(
            ge=2,
            le=16,
            description=(
                "Endpoints that are drawn at random for each connection, to be compared. Default: 2, as in Envoy "
                "(power of two choices)."
            ),
            examples=[2],
        ),
    ] = 2
    active_request_bias: Annotated[
        float,
        Meta(
            ge=0,
            le=100,
            description=(
                "With unequal weights, an endpoint counts as weight / (active connections + 1)^bias; 0 goes by the "
                "weights alone. Default: 1.0, as in Envoy."
            ),
            examples=[1.0],
        ),
    ] = 1.0


class RingHash(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Options of the load balancer ring_hash."""

    minimum_ring_size: Annotated[
        int,
        Meta(
            ge=1,
            le=8_388_608,
            description="Points on the ring, at least. More share more evenly. Default: 1024, as in Envoy.",
            examples=[1024],
        ),
    ] = 1024
    maximum_ring_size: Annotated[
        int,
        Meta(
            ge=1,
            le=8_388_608,
            description=(
                "Points on the ring, at most, however unequal the weights are. Each takes 16 to 24 bytes. Default: "
                "1048576, our choice, for at most 24 MiB (Envoy: 8388608)."
            ),
            examples=[1_048_576],
        ),
    ] = 1_048_576


class Maglev(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Options of the load balancer maglev."""

    table_size: Annotated[
        int,
        Meta(
            ge=2,
            le=5_000_011,
            description=(
                "Places in the table, a prime number; best a hundred for each endpoint. Each takes 4 bytes. Default: "
                "65537, as in Envoy."
            ),
            examples=[65537],
        ),
    ] = 65537


class PeakEwma(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Options of the load balancer peak_ewma."""

    decay_ms: Annotated[
        PositiveInt,
        Meta(
            description=(
                "Milliseconds in which an endpoint's connect time loses all but 1/e of its influence. Default: "
                "10000, as in Linkerd."
            ),
            examples=[10_000],
        ),
    ] = 10_000


class SlowStart(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """How an endpoint that joins or recovers comes to its full weight."""

    window_ms: Annotated[
        PositiveInt,
        Meta(description="Milliseconds until it has its full weight.", examples=[30_000]),
    ]
    aggression: Annotated[
        float,
        Meta(
            ge=0.01,
            le=100,
            description=(
                "How the weight grows: as (elapsed / window)^(1 / aggression). Above 1 it grows faster at first. "
                "Default: 1.0, as in Envoy."
            ),
            examples=[1.0],
        ),
    ] = 1.0
    minimum_weight_percent: Annotated[
        float,
        Meta(
            ge=0.01,
            le=100,
            description="The part of its weight that it begins with, in percent. Default: 10, as in Envoy.",
            examples=[10.0],
        ),
    ] = 10.0


class LocalityWeight(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The share of one locality."""

    locality: Annotated[Locality, Meta(description="Which one: exactly as its endpoints name it.")]
    weight: Annotated[
        int,
        Meta(
            ge=1,
            le=1_000_000,
            description="Its share of the connections, in proportion to the other localities.",
            examples=[1],
        ),
    ]


class SubsetSelector(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Labels that together tell subsets apart."""

    keys: Annotated[
        tuple[LabelKey, ...],
        Meta(description="Names of labels. Each combination of their values is a subset.", examples=[["version"]]),
    ]


class Subsets(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Parts of a cluster's endpoints, by their labels, and what is done where there is no such part."""

    subset_selectors: Annotated[
        tuple[SubsetSelector, ...],
        Meta(description="The labels that listeners may choose by."),
    ]
    fallback_policy: Annotated[
        Literal["no_fallback", "any_endpoint", "default_subset"],
        Meta(
            description=(
                "Where a listener's connections go when no endpoint has the labels of its subset, or when it names "
                "none: no_fallback closes them (response flag UH), any_endpoint takes every endpoint, "
                "default_subset those of default_subset. Default: no_fallback, as in Envoy."
            ),
        ),
    ] = "no_fallback"
    default_subset: Annotated[
        Labels | None,
        Meta(
            description=(
                "Labels of the endpoints to fall back to, for fallback_policy: default_subset only. Default: none."
            ),
            examples=[{"version": "v1"}],
        ),
    ] = None
