"""What a route does with its requests: where they go, and what is changed on the way."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta, Struct

from mesh_core.config.schema.body_limits import BodyLimits
from mesh_core.config.schema.common import HOST_LABEL, HeaderName, HeaderValue, Name
from mesh_core.config.schema.cors import Cors
from mesh_core.config.schema.endpoint import Labels
from mesh_core.config.schema.fault import FaultInjection
from mesh_core.config.schema.mirror import Mirror
from mesh_core.config.schema.rate_limit import RateLimit
from mesh_core.config.schema.route_retry import RouteRetry
from mesh_core.config.schema.route_timeouts import RouteTimeouts

CookieName = Annotated[
    str,
    Meta(
        min_length=1,
        max_length=256,
        pattern=r"^[A-Za-z0-9!#$%&'*+.^_`|~-]+$",
        extra={"form": "the name of a cookie (1 to 256 of A-Z a-z 0-9 ! # $ % & ' * + - . ^ _ ` | ~)"},
    ),
]
_PATH_CHARACTERS = r"[A-Za-z0-9!$&'()*+,;=:@._~%/-]*"
UrlPath = Annotated[
    str,
    Meta(
        max_length=4096,
        pattern=f"^/{_PATH_CHARACTERS}$",
        extra={"form": "a path (a slash and at most 4095 more of A-Z a-z 0-9 ! $ % & ' ( ) * + , - . / : ; = @ _ ~)"},
    ),
]
UrlPrefix = Annotated[
    str,
    Meta(
        max_length=4096,
        pattern=f"^(/{_PATH_CHARACTERS})?$",
        extra={
            "form": "nothing, or a path (a slash and at most 4095 more of "
            "A-Z a-z 0-9 ! $ % & ' ( ) * + , - . / : ; = @ _ ~)"
        },
    ),
]
# A semicolon would end the attribute.
CookiePath = Annotated[
    str,
    Meta(
        max_length=4096,
        pattern=r"^/[A-Za-z0-9!$&'()*+=:@._~%/-]*$",
        extra={"form": "a path (a slash and at most 4095 more of A-Z a-z 0-9 ! $ % & ' ( ) * + - . / : = @ _ ~)"},
    ),
]
_HOST = rf"({HOST_LABEL}(\.{HOST_LABEL})*|\[[0-9A-Fa-f:.]+\])"
UrlHost = Annotated[
    str,
    Meta(
        max_length=253,
        pattern=f"^{_HOST}$",
        extra={"form": "a host name or an IP address (IPv6 in brackets), without a port"},
    ),
]
Authority = Annotated[
    str,
    Meta(
        max_length=259,
        pattern=f"^{_HOST}(:[1-9][0-9]{{0,4}})?$",
        extra={"form": "a host name or an IP address (IPv6 in brackets), with or without a port"},
    ),
]
UpgradeName = Annotated[
    str,
    Meta(
        max_length=64,
        pattern=r"^[A-Za-z0-9!#$%&'*+.^_`|~-]+(/[A-Za-z0-9!#$%&'*+.^_`|~-]+)?$",
        extra={"form": "the name of a protocol (websocket, or a name, a slash and a version), or connect"},
    ),
]


class HeaderModifier(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Changes of headers: first those of `remove`, then `set`, then `add`. A name stands in one of them only."""

    set: Annotated[
        dict[HeaderName, HeaderValue],
        Meta(
            description=(
                "Headers and their values, in place of those of the same name. At most 16, as in the Gateway API. "
                "Default: none."
            ),
            examples=[{"x-team": "shop"}],
        ),
    ] = {}
    add: Annotated[
        dict[HeaderName, HeaderValue],
        Meta(
            description=(
                "Headers and their values, beside those of the same name. At most 16, as in the Gateway API. "
                "Default: none."
            ),
            examples=[{"x-team": "shop"}],
        ),
    ] = {}
    remove: Annotated[
        tuple[HeaderName, ...],
        Meta(
            description=(
                "Names of headers to leave out, however often they are there. At most 16, as in the Gateway API. "
                "Default: none."
            ),
            examples=[["x-debug"]],
        ),
    ] = ()


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


_COOKIE_SECONDS = 34_560_000


class HashCookie(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A cookie to hash."""

    name: Annotated[CookieName, Meta(description="Its name.", examples=["user"])]
    ttl_s: Annotated[
        Annotated[int, Meta(ge=0, le=_COOKIE_SECONDS)] | None,
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
            le=_COOKIE_SECONDS,
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


class RouteAction(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What a route does. Exactly one of cluster, clusters, redirect and direct_response; the rest goes beside."""

    cluster: Annotated[
        Name | None,
        Meta(description="The name of the cluster that its requests go to. Default: none.", examples=["app"]),
    ] = None
    subset: Annotated[
        Labels | None,
        Meta(
            description=(
                "With cluster: labels of the endpoints that they go to, out of the cluster's `subsets`. Default: none, "
                "as of listeners."
            ),
            examples=[{"version": "v2"}],
        ),
    ] = None
    clusters: Annotated[
        tuple[WeightedCluster, ...] | None,
        Meta(
            description=(
                "Clusters that share its requests by weight, at most 128. When all weights are 0 the answer is 500, as "
                "in the Gateway API. Default: none."
            ),
        ),
    ] = None
    redirect: Annotated[
        Redirect | None,
        Meta(description="Its requests are answered with another URL. Default: none."),
    ] = None
    direct_response: Annotated[
        DirectResponse | None,
        Meta(description="Its requests are answered by the proxy itself. Default: none."),
    ] = None
    priority: Annotated[
        Literal["low", "default", "high"],
        Meta(
            description=(
                "Which circuit breakers of the cluster its requests go by, those of low being default's; and which are "
                "refused first when the proxy is short of memory or descriptors: low, then default, then high. "
                "Default: default, as in Envoy, which knows no low."
            )
        ),
    ] = "default"
    rewrite: Annotated[
        Rewrite | None,
        Meta(description="What the upstream sees in place of the request's path and host. Default: none."),
    ] = None
    request_headers: Annotated[
        HeaderModifier | None,
        Meta(description="Changes of the headers that go to the upstream. Default: none."),
    ] = None
    response_headers: Annotated[
        HeaderModifier | None,
        Meta(description="Changes of the headers that go to the client, whoever answers. Default: none."),
    ] = None
    cors: Annotated[
        Cors | None,
        Meta(description="Which pages of other origins may use it (CORS). Default: as the virtual host says."),
    ] = None
    fault: Annotated[
        FaultInjection | None,
        Meta(description="Faults that some of its requests meet, for tests. Default: as the virtual host says."),
    ] = None
    rate_limits: Annotated[
        tuple[RateLimit, ...] | None,
        Meta(
            description=(
                "How many requests are let through, at most 8 rules; a request must pass all that it is subject to. "
                "Default: as the virtual host says."
            )
        ),
    ] = None
    mirrors: Annotated[
        tuple[Mirror, ...] | None,
        Meta(
            description=(
                "Clusters that get a copy of some requests, at most 4; what they answer is thrown away. Default: as "
                "the virtual host says."
            )
        ),
    ] = None
    hash_policy: Annotated[
        tuple[HashPolicy, ...],
        Meta(
            description=(
                "What the hash is made of that the load balancers ring_hash and maglev go by, at most 16 parts, "
                "combined as in Envoy. Default: none, they choose at random."
            ),
        ),
    ] = ()
    session_affinity: Annotated[
        SessionAffinity | None,
        Meta(description="Keep each session with one endpoint, whatever the load balancer. Default: none."),
    ] = None
    upgrades: Annotated[
        tuple[UpgradeName, ...],
        Meta(
            description=(
                "Protocols that a request may change to (websocket), and connect, which allows the method CONNECT. "
                "Default: none, our choice: requests to change are passed on without that wish (Envoy answers 403)."
            ),
            examples=[["websocket"]],
        ),
    ] = ()
    timeouts: Annotated[
        RouteTimeouts | None,
        Meta(description="How long its requests may take. Default: as the virtual host says."),
    ] = None
    body_limits: Annotated[
        BodyLimits | None,
        Meta(description="How large bodies may be. Default: as the virtual host says."),
    ] = None
    retry: Annotated[
        RouteRetry | None,
        Meta(
            description=(
                "When a request is tried again. Default: the virtual host's, else as the cluster's `retry` says, where "
                "only what was provably not processed is tried again, and what may be sent twice when it was lost on a "
                "connection that had been idle."
            )
        ),
    ] = None
