"""VirtualServices to routes, which are asked in the order in which they stand there."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from mesh_core.config.regex import literal
from mesh_core.config.schema import (
    HeaderMatch,
    PathMatch,
    PathModifier,
    QueryParameterMatch,
    Redirect,
    Rewrite,
    Route,
    RouteMatch,
)
from mesh_cp.generators.actions import Share, answer, hash_policy, made_route, modifier, to_clusters
from mesh_cp.generators.context import Context
from mesh_cp.generators.names import route_name
from mesh_cp.generators.output import ClusterRef
from mesh_cp.generators.references import reference
from mesh_cp.generators.route_extras import virtual_service_extras
from mesh_cp.model.routes import Virtual
from mesh_cp.model.workload import has_labels
from mesh_cp.resources.common import StringMatch
from mesh_cp.resources.virtual_service import (
    Headers,
    HttpMatch,
    HttpRedirect,
    HttpRoute,
    TcpRoute,
    applies_to_mesh,
)


def http_routes(context: Context, virtual: Virtual, port: int) -> Iterator[Route]:
    """The routes of a VirtualService for requests that the client sends to `port` of its host."""
    for index, route in enumerate(virtual.spec.http):
        matches = [match for match in route.match if _is_asked(match, context, port)]
        if matches or not route.match:
            by_segments = route.rewrite is not None and route.rewrite.uri is not None
            asked = tuple(_match(match, by_segments=by_segments) for match in matches)
            yield _route(context, virtual, port, route, name=_name(route, index), matches=asked)


def _is_asked(match: HttpMatch, context: Context, port: int) -> bool:
    """Whether a match can fit a request of the client's at all: what it asks of the client is known."""
    return (
        applies_to_mesh(match.gateways)
        and match.port in (None, port)
        and match.source_namespace in (None, context.client.namespace)
        and has_labels(context.client.labels, match.source_labels)
    )


def _name(route: HttpRoute, index: int) -> str:
    """A route's name; without one its place."""
    return route_name(route.name or "") or str(index)


def _route(
    context: Context, virtual: Virtual, port: int, route: HttpRoute, *, name: str, matches: tuple[RouteMatch, ...]
) -> Route:
    fields: dict[str, Any] = {"name": name, "matches": matches}
    if route.headers is not None:
        fields.update(_headers(route.headers))
    if route.redirect is not None:
        fields["redirect"] = _redirect(route.redirect)
    elif route.direct_response is not None:
        body = route.direct_response.body
        text = body.string or "" if body is not None else ""
        fields.update(answer(route.direct_response.status, text))
    else:
        fields.update(_forward(context, virtual, port, route))
    fields.update(virtual_service_extras(context, virtual, port, route))
    return made_route(fields)


def _forward(context: Context, virtual: Virtual, port: int, route: HttpRoute) -> dict[str, Any]:
    only = len(route.route) == 1
    shares = []
    for each in route.route:
        headers = _headers(each.headers) if each.headers is not None else {}
        ref = reference(context, virtual, each.destination, port)
        shares.append(Share(ref, 1 if only else each.weight, **headers))
    fields = to_clusters(shares)
    for share in shares:
        hashed = hash_policy(context.effective(share.ref).load_balancer)
        if hashed:
            fields["hash_policy"] = hashed
            break
    if route.rewrite is not None:
        fields["rewrite"] = _rewrite(route)
    return fields


def _headers(headers: Headers) -> dict[str, Any]:
    fields = {}
    for name, operations in (("request_headers", headers.request), ("response_headers", headers.response)):
        if operations is not None:
            fields[name] = modifier(operations.set, operations.add, operations.remove)
    return fields


def _rewrite(route: HttpRoute) -> Rewrite:
    rewrite = route.rewrite
    assert rewrite is not None
    path = None
    if rewrite.uri is not None:
        by_prefix = all(match.uri is None or match.uri.prefix is not None for match in route.match)
        path = PathModifier(prefix=rewrite.uri) if by_prefix else PathModifier(full=rewrite.uri)
    return Rewrite(path=path, host=rewrite.authority)


def _redirect(redirect: HttpRedirect) -> Redirect:
    port = redirect.port
    if redirect.derive_port == "FROM_PROTOCOL_DEFAULT":
        port = 443 if redirect.scheme == "https" else 80
    host, _, own = (redirect.authority or "").partition(":")
    return Redirect(
        scheme=redirect.scheme,
        host=host or None,
        port=port or (int(own) if own.isdigit() else None),
        path=PathModifier(full=redirect.uri) if redirect.uri is not None else None,
        status=redirect.redirect_code or 301,
    )


# --- matches ---


def _match(match: HttpMatch, *, by_segments: bool) -> RouteMatch:
    return RouteMatch(
        path=_path(match.uri, match.ignore_uri_case, by_segments=by_segments) if match.uri is not None else None,
        method=match.method.exact if match.method is not None else None,
        headers=(
            *(_header(name, text) for name, text in match.headers.items()),
            *(_header(name, text, invert=True) for name, text in match.without_headers.items()),
        ),
        query_parameters=tuple(_parameter(name, text) for name, text in match.query_params.items()),
    )


def _path(uri: StringMatch, ignore_case: bool, *, by_segments: bool) -> PathMatch | None:
    """Istio's prefixes are of letters: /foo fits /foobar. Those that are rewritten are taken by segments."""
    flags = "(?i)" if ignore_case else ""
    if uri.regex is not None:
        return PathMatch(regex=f"{flags}{uri.regex}" if flags else uri.regex)
    if uri.exact is not None:
        return PathMatch(regex=flags + literal(uri.exact)) if flags else PathMatch(exact=uri.exact)
    prefix = uri.prefix or "/"
    if prefix == "/":
        return None
    if by_segments:
        return PathMatch(prefix=prefix)
    return PathMatch(regex=f"{flags}{literal(prefix)}.*")


def _header(name: str, text: StringMatch, *, invert: bool = False) -> HeaderMatch:
    if text.regex:
        return HeaderMatch(name=name, regex=text.regex, invert=invert)
    if text.exact:
        return HeaderMatch(name=name, exact=text.exact, invert=invert)
    if text.prefix:
        return HeaderMatch(name=name, prefix=text.prefix, invert=invert)
    return HeaderMatch(name=name, present=not invert)


def _parameter(name: str, text: StringMatch) -> QueryParameterMatch:
    if text.regex:
        return QueryParameterMatch(name=name, regex=text.regex)
    if text.exact:
        return QueryParameterMatch(name=name, exact=text.exact)
    return QueryParameterMatch(name=name, present=True)


# --- TCP ---


def tcp_reference(context: Context, virtual: Virtual, port: int) -> ClusterRef | None:
    """Where a VirtualService sends connections to `port` of its host: the largest share; None if it does not say."""
    for route in virtual.spec.tcp:
        if _takes(route, context, port) and route.route:
            largest = max(route.route, key=lambda each: each.weight)
            return reference(context, virtual, largest.destination, port)
    return None


def _takes(route: TcpRoute, context: Context, port: int) -> bool:
    return not route.match or any(
        applies_to_mesh(match.gateways)
        and match.port in (None, port)
        and match.source_namespace in (None, context.client.namespace)
        and has_labels(context.client.labels, match.source_labels)
        for match in route.match
    )
