"""What routes of every kind have in common: clusters by weight, headers, hashing, and what an HTTPRoute or a
VirtualService is turned into."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NamedTuple

from mesh_core.config.check_routes import match_key
from mesh_core.config.schema import (
    DirectResponse,
    HashCookie,
    HashPolicy,
    HeaderModifier,
    Route,
    RouteMatch,
    WeightedCluster,
)
from mesh_cp.generators.names import cluster_name
from mesh_cp.generators.output import ClusterRef
from mesh_cp.resources.common import milliseconds
from mesh_cp.resources.destination_rule import LoadBalancer

UPGRADES = ("websocket",)
"""What every route lets pass, as Istio's do."""

_FORWARDING = frozenset(("request_headers", "timeouts", "retry", "mirrors"))


class Share(NamedTuple):
    """A cluster's part of a route's requests, and what is changed in them alone."""

    ref: ClusterRef
    weight: int
    request_headers: HeaderModifier | None = None
    response_headers: HeaderModifier | None = None


def to_clusters(shares: Iterable[Share]) -> dict[str, Any]:
    """The fields of a route that goes to these, one at least: the shares of one cluster count as they stand."""
    those = list(shares)
    only = those[0]
    if len(those) == 1 and only.weight and only.request_headers is None and only.response_headers is None:
        return {"cluster": cluster_name(only.ref), "upgrades": UPGRADES}
    weighted = tuple(
        WeightedCluster(
            cluster=cluster_name(share.ref),
            weight=share.weight,
            request_headers=share.request_headers,
            response_headers=share.response_headers,
        )
        for share in those
    )
    return {"clusters": weighted, "upgrades": UPGRADES}


def made_route(fields: dict[str, Any]) -> Route:
    """The route of these fields, without what is of use for an upstream only where none is asked."""
    if not {"cluster", "clusters"} & fields.keys():
        fields = {name: value for name, value in fields.items() if name not in _FORWARDING}
    return Route(**fields)


def modifier(to_set: dict[str, str], to_add: dict[str, str], to_remove: tuple[str, ...]) -> HeaderModifier | None:
    """Changes of headers; None for none."""
    if not (to_set or to_add or to_remove):
        return None
    return HeaderModifier(set=to_set, add=to_add, remove=to_remove)


def hash_policy(balancer: LoadBalancer) -> tuple[HashPolicy, ...]:
    """What a destination's load balancer wants to be hashed."""
    hashing = balancer.consistent_hash
    if hashing is None:
        return ()
    if hashing.http_header_name is not None:
        return (HashPolicy(header=hashing.http_header_name),)
    if hashing.http_query_parameter_name is not None:
        return (HashPolicy(query_parameter=hashing.http_query_parameter_name),)
    cookie = hashing.http_cookie
    if cookie is not None:
        ttl_s = None if cookie.ttl is None else milliseconds(cookie.ttl) // 1000
        return (HashPolicy(cookie=HashCookie(name=cookie.name, path=cookie.path, ttl_s=ttl_s)),)
    return (HashPolicy(source_ip=True),) if hashing.use_source_ip else ()


def answer(status: int, body: str = "") -> dict[str, Any]:
    """The fields of a route that is answered by the proxy."""
    return {"direct_response": DirectResponse(status=status, body=body)}


def distinct(routes: Iterable[Route], order: str) -> tuple[Route, ...]:
    """`routes` without matches that an earlier one has too, and so would never be asked; names are made distinct."""
    seen: set[object] = set()
    names: set[str] = set()
    kept: list[Route] = []
    for route in routes:
        matches = []
        for match in route.matches or (RouteMatch(),):
            key = match_key(match)
            if key not in seen:
                seen.add(key)
                matches.append(match)
        if matches:
            name = route.name if route.name not in names else None
            names.add(name or "")
            kept.append(_with(route, tuple(matches), name))
        if order == "listed" and any(match == RouteMatch() for match in matches):
            # Nothing comes behind what takes every request.
            break
    return tuple(kept)


def _with(route: Route, matches: tuple[RouteMatch, ...], name: str | None) -> Route:
    values = {field: getattr(route, field) for field in route.__struct_fields__}
    values.update(matches=() if matches == (RouteMatch(),) else matches, name=name)
    return Route(**values)
