"""How a session stays with the endpoint that had its first request."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta, Struct

from mesh_core.config.schema.cookie import COOKIE_SECONDS, CookieName, CookiePath


class AffinityCookie(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The cookie that a session is known by."""

    name: Annotated[CookieName, Meta(description="Its name.", examples=["session"])]
    path: Annotated[
        CookiePath,
        Meta(description="Its Path. Default: /, our choice (Envoy: none).", examples=["/"]),
    ] = "/"
    ttl_s: Annotated[
        int,
        Meta(
            ge=0,
            le=COOKIE_SECONDS,
            description="Seconds that it lasts; 0 for as long as the browser runs. Default: 0, as in Envoy.",
            examples=[3600],
        ),
    ] = 0


class SessionAffinity(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Requests of a session go to the endpoint that had its first one."""

    cookie: Annotated[
        AffinityCookie,
        Meta(description="The cookie that names the endpoint, opaquely.", examples=["{name: session}"]),
    ]
    strict: Annotated[
        bool,
        Meta(
            description=(
                "Answer 503 (response flag UH) when that endpoint is unhealthy or gone, rather than begin anew with "
                "another. Default: false, as in Envoy."
            )
        ),
    ] = False
