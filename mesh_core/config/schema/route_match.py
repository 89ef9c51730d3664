"""What a request must be like for a route to take it."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta, Struct

from mesh_core.config.schema.common import HeaderName, MethodName, RegularExpression

RoutePath = Annotated[
    str,
    Meta(
        max_length=4096,
        pattern=r"^/[!$&'()*+,;=:@A-Za-z0-9._~%/\[\]{}^|`-]*$",
        extra={"form": "a path (a slash and at most 4095 more characters, none of them a blank, ? or #)"},
    ),
]
_MatchedText = Annotated[str, Meta(max_length=4096, extra={"form": "at most 4096 characters"})]


class PathMatch(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What the path must be, once it is normalized and without its query: exactly one of exact, prefix and regex."""

    exact: Annotated[
        RoutePath | None,
        Meta(description="The whole path, in this case. Default: none.", examples=["/login"]),
    ] = None
    prefix: Annotated[
        RoutePath | None,
        Meta(
            description=(
                "What it begins with, by segments: /foo fits /foo, /foo/ and /foo/bar, and not /foobar. A slash at its "
                "end is of no consequence; / fits every request, also one without a path. Default: none."
            ),
            examples=["/api"],
        ),
    ] = None
    regex: Annotated[
        RegularExpression | None,
        Meta(
            description="A regular expression that fits the whole path. Default: none.",
            examples=["/users/[0-9]+"],
        ),
    ] = None


class HeaderMatch(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What a header must be: exactly one of exact, prefix, regex and present.

    Several headers of one name count as one, their values in order with a comma between (RFC 9110, section 5.3), those
    of cookie with a semicolon and a blank (RFC 9113, section 8.2.3). Headers for this connection only (Connection and
    those that it names) count as absent, but for upgrade.
    """

    name: Annotated[
        HeaderName,
        Meta(description="Its name, in whatever case; not host, which is for virtual hosts.", examples=["x-env"]),
    ]
    exact: Annotated[
        _MatchedText | None,
        Meta(description="Its whole value, in this case. Default: none.", examples=["canary"]),
    ] = None
    prefix: Annotated[
        _MatchedText | None,
        Meta(description="What its value begins with. Default: none.", examples=["Bearer "]),
    ] = None
    regex: Annotated[
        RegularExpression | None,
        Meta(description="A regular expression that fits its whole value. Default: none.", examples=["v[12]"]),
    ] = None
    present: Annotated[
        bool | None,
        Meta(description="Whether it must be there, or must not be, whatever its value. Default: none."),
    ] = None
    invert: Annotated[
        bool,
        Meta(
            description=(
                "Fit whatever the rest does not fit, a request without the header included (as Istio's withoutHeaders; "
                "Envoy's invert_match leaves such a request out). Default: false."
            )
        ),
    ] = False


class QueryParameterMatch(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What a parameter of the query must be: exactly one of exact, regex and present.

    Names and values are compared decoded, as HTML forms encode them: %20 and + are blanks, an escape that is none
    stands for itself. Of several parameters of one name the first counts; one without = has an empty value.
    """

    name: Annotated[
        Annotated[str, Meta(min_length=1, max_length=256, extra={"form": "1 to 256 characters"})],
        Meta(description="Its name, in this case, decoded.", examples=["version"]),
    ]
    exact: Annotated[
        _MatchedText | None,
        Meta(description="Its whole value, in this case, decoded. Default: none.", examples=["2"]),
    ] = None
    regex: Annotated[
        RegularExpression | None,
        Meta(
            description="A regular expression that fits its whole value, decoded. Default: none.",
            examples=["[0-9]+"],
        ),
    ] = None
    present: Annotated[
        bool | None,
        Meta(description="Whether it must be there, or must not be, whatever its value. Default: none."),
    ] = None


class RouteMatch(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Requests that a route takes. All that is given must fit."""

    path: Annotated[
        PathMatch | None,
        Meta(description="Their path. Default: any, which is {prefix: /}.", examples=["{prefix: /api}"]),
    ] = None
    method: Annotated[
        MethodName | None,
        Meta(description="Their method, in this case. Default: any.", examples=["GET"]),
    ] = None
    headers: Annotated[
        tuple[HeaderMatch, ...],
        Meta(description="What their headers must be like, all of these. Default: anything."),
    ] = ()
    query_parameters: Annotated[
        tuple[QueryParameterMatch, ...],
        Meta(description="What the parameters of their query must be like, all of these. Default: anything."),
    ] = ()
