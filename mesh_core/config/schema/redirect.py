"""Answers that send the client to another URL."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta, Struct

from mesh_core.config.schema.rewrite import PathModifier
from mesh_core.config.schema.url import UrlHost


class Redirect(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """An answer that sends the client elsewhere; what is not given stays as it was asked for."""

    scheme: Annotated[
        Literal["http", "https"] | None,
        Meta(description="The scheme of the new URL. Default: the request's."),
    ] = None
    host: Annotated[
        UrlHost | None,
        Meta(
            description="A host name or IP address (IPv6 in brackets), without a port. Default: the request's.",
            examples=["shop.example"],
        ),
    ] = None
    port: Annotated[
        Annotated[int, Meta(ge=1, le=65535)] | None,
        Meta(
            description=(
                "The port of the new URL; the scheme's own is not written. Default: that of `scheme` where it is "
                "given, else the one that the request names, else the listener's, as in the Gateway API."
            ),
            examples=[8443],
        ),
    ] = None
    path: Annotated[
        PathModifier | None,
        Meta(description="The path of the new URL. Default: the request's."),
    ] = None
    status: Annotated[
        int,
        Meta(
            ge=301,
            le=308,
            description="The status: 301, 302, 303, 307 or 308. Default: 302, as in the Gateway API (Envoy: 301).",
            examples=[302],
        ),
    ] = 302
    strip_query: Annotated[
        bool,
        Meta(description="Leave out the request's query. Default: false, as in Envoy."),
    ] = False
