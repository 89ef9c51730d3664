"""HTTPRoutes to routes, of which the most exact match counts, and among equals that of the oldest."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from mesh_core.config.schema import (
    AffinityCookie,
    HeaderMatch,
    HeaderModifier,
    PathMatch,
    PathModifier,
    QueryParameterMatch,
    Redirect,
    Rewrite,
    Route,
    RouteMatch,
    SessionAffinity,
)
from mesh_cp.generators.actions import Share, answer, hash_policy, made_route, to_clusters
from mesh_cp.generators.context import Context
from mesh_cp.generators.names import route_name
from mesh_cp.generators.output import ClusterRef
from mesh_cp.generators.references import backend_reference
from mesh_cp.generators.route_extras import http_route_extras
from mesh_cp.model.routes import Attached
from mesh_cp.resources import http_route as api
from mesh_cp.resources.common import milliseconds
from mesh_cp.resources.http_route import HttpRouteSpec, HttpRule
from mesh_cp.resources.http_route_check import header_modifier
from mesh_cp.resources.tcp_route import TcpRouteSpec

_COOKIE_SECONDS = 34_560_000


def http_routes(context: Context, attached: list[Attached]) -> Iterator[Route]:
    """The routes of HTTPRoutes for requests that the client sends to their Service."""
    for each in attached:
        assert isinstance(each.spec, HttpRouteSpec)
        for index, rule in enumerate(each.spec.rules):
            yield _route(context, each, index, rule)


def _route(context: Context, attached: Attached, index: int, rule: HttpRule) -> Route:
    key = attached.key
    fields: dict[str, Any] = {
        "name": route_name(f"{key.namespace}/{key.name}/{rule.name or index}"),
        "matches": tuple(_match(match) for match in rule.matches),
    }
    redirect = next((each.request_redirect for each in rule.filters if each.request_redirect is not None), None)
    if redirect is not None:
        fields["redirect"] = _redirect(redirect)
    else:
        fields.update(_forward(context, attached, rule))
    fields.update(_headers(rule.filters))
    fields.update(http_route_extras(context, attached, rule))
    return made_route(fields)


def _forward(context: Context, attached: Attached, rule: HttpRule) -> dict[str, Any]:
    shares = []
    known = 0
    for backend in rule.backend_refs:
        ref = backend_reference(context, attached.key.namespace, backend)
        service = context.service(ref.host)
        known += service is not None and service.port(ref.port) is not None
        shares.append(Share(ref, backend.weight, **_headers(backend.filters)))
    if not known:
        # The Gateway API's answer where there is nothing to send to.
        context.needs.difference_update(share.ref for share in shares)
        return answer(500)
    fields = to_clusters(shares)
    for share in shares:
        hashed = hash_policy(context.effective(share.ref).load_balancer)
        if hashed:
            fields["hash_policy"] = hashed
            break
    rewrite = next((each.url_rewrite for each in rule.filters if each.url_rewrite is not None), None)
    if rewrite is not None:
        fields["rewrite"] = Rewrite(path=_path(rewrite.path), host=rewrite.hostname)
    if rule.session_persistence is not None:
        affinity = _sessions(rule.session_persistence, attached)
        hashed = fields.get("hash_policy", ())
        # The cookie of a session is nobody else's.
        fields["hash_policy"] = tuple(
            each for each in hashed if each.cookie is None or each.cookie.name != affinity.cookie.name
        )
        fields["session_affinity"] = affinity
    return fields


def _sessions(sessions: api.SessionPersistence, attached: Attached) -> SessionAffinity:
    cookie = sessions.cookie_settings
    lasts_s = 0
    if cookie.lifetime_type == "Permanent" and sessions.absolute_timeout is not None:
        lasts_s = min(_COOKIE_SECONDS, max(1, milliseconds(sessions.absolute_timeout) // 1000))
    name = cookie.name or sessions.session_name or f"session-{attached.key.name}"
    return SessionAffinity(cookie=AffinityCookie(name=name, path=cookie.path or "/", ttl_s=lasts_s))


def _headers(filters: tuple[api.Filter, ...]) -> dict[str, HeaderModifier]:
    fields = {}
    for each in filters:
        for name, changes in (
            ("request_headers", each.request_header_modifier),
            ("response_headers", each.response_header_modifier),
        ):
            if changes is not None:
                fields[name] = header_modifier(changes)
    return fields


def _path(path: api.PathModifier | None) -> PathModifier | None:
    if path is None:
        return None
    return PathModifier(full=path.replace_full_path, prefix=path.replace_prefix_match)


def _redirect(redirect: api.RequestRedirect) -> Redirect:
    return Redirect(
        scheme=redirect.scheme,
        host=redirect.hostname,
        port=redirect.port,
        path=_path(redirect.path),
        status=redirect.status_code,
    )


def _match(match: api.RouteMatch) -> RouteMatch:
    kinds = {"Exact": "exact", "PathPrefix": "prefix", "RegularExpression": "regex"}
    return RouteMatch(
        path=PathMatch(**{kinds[match.path.type]: match.path.value}),
        method=match.method,
        headers=tuple(_header(each) for each in match.headers),
        query_parameters=tuple(_parameter(each) for each in match.query_params),
    )


def _header(match: api.HeaderMatch) -> HeaderMatch:
    if match.type == "RegularExpression":
        return HeaderMatch(name=match.name, regex=match.value)
    return HeaderMatch(name=match.name, exact=match.value)


def _parameter(match: api.QueryParamMatch) -> QueryParameterMatch:
    if match.type == "RegularExpression":
        return QueryParameterMatch(name=match.name, regex=match.value)
    return QueryParameterMatch(name=match.name, exact=match.value)


# --- TCP ---


def tcp_reference(context: Context, attached: list[Attached]) -> ClusterRef | None:
    """Where TCPRoutes send connections: the largest share of the first; None if there is none."""
    for each in attached:
        assert isinstance(each.spec, TcpRouteSpec)
        for rule in each.spec.rules:
            if rule.backend_refs:
                largest = max(rule.backend_refs, key=lambda backend: backend.weight)
                return backend_reference(context, each.key.namespace, largest)
    return None
