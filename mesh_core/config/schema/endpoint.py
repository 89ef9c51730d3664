"""Endpoints: the addresses of a cluster, and what load balancing knows of each."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta, Struct

LabelKey = Annotated[
    str,
    Meta(
        min_length=1,
        max_length=128,
        pattern=r"^[A-Za-z0-9_][A-Za-z0-9_./-]*$",
        extra={"form": "a label's name (1 to 128 of A-Z a-z 0-9 _ . / -, the first a letter, a digit or _)"},
    ),
]
LabelValue = Annotated[str, Meta(max_length=256, extra={"form": "a label's value of at most 256 characters"})]
Labels = dict[LabelKey, LabelValue]

_Place = Annotated[str, Meta(max_length=128, extra={"form": "a name of at most 128 characters"})]


class Locality(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Where an endpoint is, from the whole to its part. What is not known is left out."""

    region: Annotated[
        _Place,
        Meta(description="A region of a provider or a company. Default: empty, as in Envoy.", examples=["eu-west"]),
    ] = ""
    zone: Annotated[
        _Place,
        Meta(description="A zone of the region. Default: empty, as in Envoy.", examples=["eu-west-1a"]),
    ] = ""
    sub_zone: Annotated[
        _Place,
        Meta(description="A part of the zone, such as a rack. Default: empty, as in Envoy.", examples=["rack-7"]),
    ] = ""


class Endpoint(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One endpoint of a cluster, with more than its address."""

    address: Annotated[
        str,
        Meta(
            description="What to connect to, written as an endpoint that is only its address.",
            examples=["127.0.0.1:9001"],
        ),
    ]
    weight: Annotated[
        int,
        Meta(
            ge=1,
            le=1_000_000,
            description=(
                "Its share of the connections, in proportion to the other endpoints of the same priority and "
                "locality. Default: 1, as in Envoy."
            ),
            examples=[1],
        ),
    ] = 1
    priority: Annotated[
        int,
        Meta(
            ge=0,
            le=127,
            description=(
                "0 is the highest. Endpoints of a lower priority take over as those of higher ones fail, see "
                "overprovisioning_percent. Default: 0, as in Envoy (which has 128 of them too)."
            ),
            examples=[0],
        ),
    ] = 0
    locality: Annotated[
        Locality,
        Meta(description="Where it is, for locality_weights. Default: nowhere in particular."),
    ] = Locality()
    labels: Annotated[
        Labels,
        Meta(
            description="Names and values that subsets are made by. Default: none.",
            examples=[{"version": "v2"}],
        ),
    ] = {}


def as_endpoint(entry: str | Endpoint) -> Endpoint:
    """All that an entry of a cluster's `endpoints` says; what it leaves out is as the defaults have it."""
    return entry if isinstance(entry, Endpoint) else Endpoint(address=entry)
