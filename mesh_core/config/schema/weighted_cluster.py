"""Clusters that share the requests of a route."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta, Struct

from mesh_core.config.schema.common import Name
from mesh_core.config.schema.endpoint import Labels
from mesh_core.config.schema.header_modifier import HeaderModifier


class WeightedCluster(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One of the clusters that share a route's requests."""

    cluster: Annotated[Name, Meta(description="The name of the cluster.", examples=["app"])]
    subset: Annotated[
        Labels | None,
        Meta(
            description=(
                "Labels of the endpoints that its requests go to, out of the cluster's `subsets`. Default: none, as "
                "of listeners."
            ),
            examples=[{"version": "v2"}],
        ),
    ] = None
    weight: Annotated[
        int,
        Meta(
            ge=0,
            le=1_000_000,
            description=(
                "Its share of the requests, in proportion to the other clusters; 0 for none, but those whose session "
                "is there already. Default: 1, as in the Gateway API."
            ),
            examples=[1],
        ),
    ] = 1
    request_headers: Annotated[
        HeaderModifier | None,
        Meta(description="Changes of the headers of its requests, after those of the route. Default: none."),
    ] = None
    response_headers: Annotated[
        HeaderModifier | None,
        Meta(description="Changes of the headers of its responses, before those of the route. Default: none."),
    ] = None
