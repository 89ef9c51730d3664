"""Cross-origin resource sharing: which pages of other origins may use a route from a browser."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta, Struct

from mesh_core.config.schema.common import HOST_LABEL, HeaderName, MethodName, RegularExpression

_SCHEME = r"[A-Za-z][A-Za-z0-9+.-]*"
_HOST = rf"(\*\.)?{HOST_LABEL}(\.{HOST_LABEL})*|\[[0-9A-Fa-f:.]+\]|\*"

CorsOrigin = Annotated[
    str,
    Meta(
        max_length=512,
        pattern=rf"^(\*|null|{_SCHEME}://({_HOST})(:[1-9][0-9]{{0,4}})?)$",
        extra={
            "form": "an origin (scheme://host or scheme://host:port; *. before the host for all names below it, * in "
            "its place for any host), null, or * for any origin"
        },
    ),
]


class Cors(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What browsers are told about requests from pages of other origins (Fetch standard, section 3.2).

    The proxy answers preflights itself. What the origin server says about CORS is left out.
    """

    allow_origins: Annotated[
        tuple[CorsOrigin, ...],
        Meta(
            description=(
                "Origins whose pages may read responses, at most 64: compared whole, scheme and host in whatever "
                "case, and without its scheme's own port; https://*.shop.example for all names below shop.example, * "
                "for any. Default: none."
            ),
            examples=[["https://shop.example", "https://*.shop.example"]],
        ),
    ] = ()
    allow_origin_regexes: Annotated[
        tuple[RegularExpression, ...],
        Meta(
            description="Regular expressions one of which may fit the whole origin instead, at most 16. Default: none.",
            examples=[["https://v[0-9]+[.]shop[.]example"]],
        ),
    ] = ()
    allow_methods: Annotated[
        tuple[MethodName, ...],
        Meta(
            description=(
                "Methods that may be used, at most 32; * for any. A browser allows GET, HEAD and POST without being "
                "told. Default: none, as in Envoy."
            ),
            examples=[["GET", "PUT"]],
        ),
    ] = ()
    allow_headers: Annotated[
        tuple[HeaderName, ...],
        Meta(
            description=(
                "Headers that requests may have besides those that a browser allows anyway, at most 64; * for any. "
                "Default: none, as in Envoy."
            ),
            examples=[["content-type", "authorization"]],
        ),
    ] = ()
    expose_headers: Annotated[
        tuple[HeaderName, ...],
        Meta(
            description=(
                "Headers of responses that pages may read besides those that a browser shows anyway, at most 64; * "
                "for any. Default: none, as in Envoy."
            ),
            examples=[["x-request-id"]],
        ),
    ] = ()
    allow_credentials: Annotated[
        bool,
        Meta(
            description=(
                "Whether requests may carry cookies and other credentials. A browser then takes no * for an answer: "
                "the request's own origin, method and headers are named instead, and expose_headers may have none. "
                "Default: false, as in Envoy."
            )
        ),
    ] = False
    max_age_s: Annotated[
        int,
        Meta(
            ge=0,
            le=86_400,
            description=(
                "Seconds for which a browser may keep the answer to a preflight. Default: 5, as in the Gateway API "
                "and what browsers do unless told."
            ),
            examples=[600],
        ),
    ] = 5
    forward_unmatched_preflights: Annotated[
        bool,
        Meta(
            description=(
                "Send preflights from origins that are not allowed to the upstream, and leave its answer as it is; "
                "else they are answered by 204 without permission. Default: false, our choice: who writes a policy "
                "here means that it counts (Envoy and Istio: true)."
            )
        ),
    ] = False
