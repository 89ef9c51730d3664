"""Answers of the proxy's own."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta, Struct

from mesh_core.config.schema.common import HeaderValue


class DirectResponse(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """An answer of the proxy's own."""

    status: Annotated[int, Meta(ge=200, le=599, description="The status.", examples=[404])]
    body: Annotated[
        str,
        Meta(
            max_length=4096,
            description="What the response holds, as UTF-8, at most 4096 characters as in Envoy. Default: nothing.",
            examples=["not here"],
        ),
    ] = ""
    content_type: Annotated[
        HeaderValue,
        Meta(
            min_length=1,
            description="The Content-Type where there is a body. Default: text/plain, as in Envoy.",
            examples=["application/json"],
        ),
    ] = "text/plain"
