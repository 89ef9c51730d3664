"""What of a request the load balancers ring_hash and maglev go by."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta, Struct

from mesh_core.config.schema.common import HeaderName
from mesh_core.config.schema.cookie import COOKIE_SECONDS, CookieName, CookiePath


class HashCookie(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A cookie to hash."""

    name: Annotated[CookieName, Meta(description="Its name.", examples=["user"])]
    ttl_s: Annotated[
        Annotated[int, Meta(ge=0, le=COOKIE_SECONDS)] | None,
        Meta(
            description=(
                "Give a client that sends no such cookie one with a random value, for so many seconds; 0 for as long "
                "as its browser runs. Default: none, no cookie is made, as in Envoy."
            ),
            examples=[3600],
        ),
    ] = None
    path: Annotated[
        CookiePath,
        Meta(
            description="The Path of a cookie that is made. Default: /, our choice (Envoy: none).",
            examples=["/"],
        ),
    ] = "/"


class HashPolicy(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Something in a request to hash: exactly one of header, cookie, source_ip and query_parameter."""

    header: Annotated[
        HeaderName | None,
        Meta(
            description="The value of this header; of several lines all, in whatever order. Default: none.",
            examples=["x-user"],
        ),
    ] = None
    cookie: Annotated[HashCookie | None, Meta(description="The value of a cookie. Default: none.")] = None
    source_ip: Annotated[
        bool,
        Meta(description="The address, without its port, that the request comes from. Default: false."),
    ] = False
    query_parameter: Annotated[
        Annotated[str, Meta(min_length=1, max_length=256, extra={"form": "1 to 256 characters"})] | None,
        Meta(
            description="The value of the first query parameter of this name, both as they are sent. Default: none.",
            examples=["user"],
        ),
    ] = None
    terminal: Annotated[
        bool,
        Meta(
            description=(
                "Leave out the policies after this one when there is a hash by now. Default: false, as in Envoy."
            )
        ),
    ] = False
