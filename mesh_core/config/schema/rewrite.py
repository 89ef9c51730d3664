"""What the upstream sees in place of a request's path and host."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta, Struct

from mesh_core.config.schema.url import Authority, UrlPath, UrlPrefix


class PathModifier(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Another path: exactly one of the two."""

    full: Annotated[
        UrlPath | None,
        Meta(description="The whole path. The query stays. Default: none.", examples=["/new"]),
    ] = None
    prefix: Annotated[
        UrlPrefix | None,
        Meta(
            description=(
                "What stands in place of the prefix that the route matched, by segments: /foo/bar with the prefix /foo "
                "becomes /new/bar for /new or /new/, and /bar for / or nothing. Only for routes all of whose matches "
                "are by a prefix. Default: none."
            ),
            examples=["/new"],
        ),
    ] = None


class Rewrite(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Another path or host for the upstream."""

    path: Annotated[
        PathModifier | None,
        Meta(description="The path that the upstream sees. Default: the request's, normalized."),
    ] = None
    host: Annotated[
        Authority | None,
        Meta(
            description=(
                "The Host that the upstream sees: a host name or IP address (IPv6 in brackets), with or without a "
                "port. Default: the request's."
            ),
            examples=["app.internal"],
        ),
    ] = None
