"""Routes: which requests, and what is done with them."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta

from mesh_core.config.schema.common import Name
from mesh_core.config.schema.route_action import RouteAction
from mesh_core.config.schema.route_match import RouteMatch


class Route(RouteAction, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A part of a virtual host's requests, and what is done with them."""

    name: Annotated[
        Name | None,
        Meta(
            description=(
                "What logs and metrics call it. No other route of the virtual host has the same. Default: none, as in "
                "Envoy."
            ),
            examples=["api"],
        ),
    ] = None
    matches: Annotated[
        tuple[RouteMatch, ...],
        Meta(
            description=(
                "Which requests: those that one of these fits. Where several routes have one that fits, the most exact "
                "one counts, by the Gateway API's order. Default: every request, as in the Gateway API."
            ),
        ),
    ] = ()
