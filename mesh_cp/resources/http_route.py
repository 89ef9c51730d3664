"""HTTPRoute of the Gateway API: where requests to a Service go. Of all matches the most exact one counts."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from msgspec import Meta, Struct

from mesh_core.config.schema.common import HeaderName, HeaderValue, MethodName
from mesh_core.config.schema.cookie import CookieName, CookiePath
from mesh_core.config.schema.cors import CorsOrigin
from mesh_core.config.schema.url import UrlHost
from mesh_cp.resources.common import Duration, Host, PortNumber
from mesh_cp.resources.gaps import Gaps, error, warning
from mesh_cp.resources.gateway_api import BackendObject, ParentRef
from mesh_cp.resources.tcp_route import Weight

_Path = Annotated[str, Meta(max_length=1024)]
_Value = Annotated[str, Meta(min_length=1, max_length=4096)]


class PathMatch(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What the path must be."""

    type: Literal["Exact", "PathPrefix", "RegularExpression"] = "PathPrefix"
    value: _Path = "/"


class HeaderMatch(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What a header must be."""

    name: HeaderName
    value: _Value
    type: Literal["Exact", "RegularExpression"] = "Exact"


class QueryParamMatch(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What a parameter of the query must be."""

    name: Annotated[str, Meta(min_length=1, max_length=256)]
    value: _Value
    type: Literal["Exact", "RegularExpression"] = "Exact"


class RouteMatch(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True, rename="camel"):
    """What a request must be like, all of it."""

    path: PathMatch = PathMatch()
    headers: tuple[HeaderMatch, ...] = ()
    query_params: tuple[QueryParamMatch, ...] = ()
    method: (
        Literal["GET", "HEAD", "POST", "PUT", "DELETE", "CONNECT", "OPTIONS", "TRACE", "PATCH"] | None
    ) = None


class Header(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A header and its value."""

    name: HeaderName
    value: HeaderValue


class HeaderFilter(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Changes of headers."""

    set: tuple[Header, ...] = ()
    add: tuple[Header, ...] = ()
    remove: tuple[HeaderName, ...] = ()


class PathModifier(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True, rename="camel"):
    """Another path."""

    type: Literal["ReplaceFullPath", "ReplacePrefixMatch"]
    replace_full_path: _Path | None = None
    replace_prefix_match: _Path | None = None


class RequestRedirect(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True, rename="camel"):
    """Another URL for the client."""

    scheme: Literal["http", "https"] | None = None
    hostname: UrlHost | None = None
    path: PathModifier | None = None
    port: PortNumber | None = None
    status_code: Annotated[int, Meta(ge=301, le=308)] = 302


class UrlRewrite(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Another path or host for the backend."""

    hostname: UrlHost | None = None
    path: PathModifier | None = None


class Fraction(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A part of the requests."""

    numerator: Annotated[int, Meta(ge=0, le=2**31 - 1)]
    denominator: Annotated[int, Meta(ge=1, le=2**31 - 1)] = 100


class RequestMirror(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True, rename="camel"):
    """Where copies of requests go."""

    backend_ref: BackendObject
    percent: Annotated[int, Meta(ge=0, le=100)] | None = None
    fraction: Fraction | None = None


class Cors(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True, rename="camel"):
    """Which pages of other origins may send requests."""

    allow_origins: tuple[CorsOrigin, ...] = ()
    allow_credentials: bool = False
    allow_methods: tuple[MethodName, ...] = ()
    allow_headers: tuple[HeaderName, ...] = ()
    expose_headers: tuple[HeaderName, ...] = ()
    max_age: Annotated[int, Meta(ge=0, le=2**31 - 1)] = 5


FilterType = Literal[
    "RequestHeaderModifier",
    "ResponseHeaderModifier",
    "RequestRedirect",
    "URLRewrite",
    "RequestMirror",
    "CORS",
    "ExternalAuth",
    "ExtensionRef",
]


class Filter(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True, rename="camel"):
    """One thing that is done with requests on their way: the field that `type` names."""

    gaps: ClassVar[Gaps] = {
        "externalAuth": error("nobody else is asked about requests"),
        "extensionRef": error("there are no filters of other kinds"),
    }

    type: FilterType
    request_header_modifier: HeaderFilter | None = None
    response_header_modifier: HeaderFilter | None = None
    request_redirect: RequestRedirect | None = None
    url_rewrite: UrlRewrite | None = None
    request_mirror: RequestMirror | None = None
    cors: Cors | None = None


class HttpBackendRef(BackendObject, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One of the Services that share requests."""

    weight: Weight = 1
    filters: tuple[Filter, ...] = ()


class Timeouts(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True, rename="camel"):
    """How long a request may take, all tries of it and each; 0s for no limit."""

    request: Duration | None = None
    backend_request: Duration | None = None


class Retry(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """When and how often a request is tried again."""

    codes: tuple[Annotated[int, Meta(ge=400, le=599)], ...] = ()
    attempts: Annotated[int, Meta(ge=0, le=100)] | None = None
    backoff: Duration | None = None


class CookieConfig(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True, rename="camel"):
    """The cookie of a session."""

    name: CookieName | None = None
    path: CookiePath | None = None
    lifetime_type: Literal["Session", "Permanent"] = "Session"


class SessionPersistence(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True, rename="camel"):
    """Requests of a session go to the endpoint that had its first one."""

    gaps: ClassVar[Gaps] = {
        "idleTimeout": warning("a session lasts as long as its cookie: of no effect here"),
        "header": error("sessions are known by a cookie"),
    }

    session_name: CookieName | None = None
    absolute_timeout: Duration | None = None
    type: Literal["Cookie", "Header"] = "Cookie"
    cookie: CookieConfig | None = None
    cookie_config: CookieConfig | None = None

    @property
    def cookie_settings(self) -> CookieConfig:
        """The cookie's, by whichever name this version of the API has."""
        return self.cookie or self.cookie_config or CookieConfig()


class HttpRule(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True, rename="camel"):
    """Requests that one of `matches` fits, or all, and what is done with them."""

    name: Annotated[str, Meta(max_length=253)] | None = None
    matches: tuple[RouteMatch, ...] = ()
    filters: tuple[Filter, ...] = ()
    backend_refs: tuple[HttpBackendRef, ...] = ()
    timeouts: Timeouts | None = None
    retry: Retry | None = None
    session_persistence: SessionPersistence | None = None


class HttpRouteSpec(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True, rename="camel"):
    """What is done with requests to what it is attached to."""

    gaps: ClassVar[Gaps] = {"useDefaultGateways": warning("there are no gateways here: of no effect")}

    parent_refs: tuple[ParentRef, ...] = ()
    hostnames: tuple[Host, ...] = ()
    rules: tuple[HttpRule, ...] = ()
