"""What must hold within the routes of a listener, and between them: which request each is for."""

from __future__ import annotations

from collections.abc import Hashable
from typing import Final

from mesh_core.config.address import AddressError
from mesh_core.config.check_matches import check_match, check_only_one
from mesh_core.config.check_retries import check_retries
from mesh_core.config.check_route_actions import check_route_actions
from mesh_core.config.check_timeouts import check_timeouts
from mesh_core.config.destinations import destinations, routes
from mesh_core.config.faults import PathStep, Report
from mesh_core.config.host_pattern import HostPattern, parse_host_pattern
from mesh_core.config.schema import (
    FilterChain,
    HeaderMatch,
    Listener,
    PathMatch,
    QueryParameterMatch,
    Route,
    RouteMatch,
    VirtualHost,
)
from mesh_core.config.wording import meant, path_text, quoted

_TARGETS = ("cluster", "routes", "virtual_hosts")
_METHODS: Final = ("GET", "HEAD", "POST", "PUT", "DELETE", "CONNECT", "OPTIONS", "TRACE", "PATCH")
"""Those that are refused in any other case."""

LISTED_PATH_CHARACTERS = 1024
"""Of a path to compare with, in virtual hosts with route_order: listed."""


def check_routes(index: int, listener: Listener, report: Report) -> None:
    """Report everything in the routes of listener number `index` and of its filter chains that cannot work."""
    for below, destination in destinations(listener):
        path: list[PathStep] = ["listeners", index, *below]
        _check_targets(path, destination, report)
        _Routes(report).check(path, destination.routes)
        _check_virtual_hosts([*path, "virtual_hosts"], destination.virtual_hosts, report)
        for place, route in routes(destination):
            check_route_actions([*path, *place], route, report)
            check_retries([*path, *place, "retry"], route.retry, report)


def _check_targets(path: list[PathStep], destination: Listener | FilterChain, report: Report) -> None:
    given = [name for name in _TARGETS if getattr(destination, name) is not None]
    if not given and not (isinstance(destination, Listener) and destination.filter_chains):
        report([*path, "cluster"], "missing", "add cluster: app")
    for name in given[1:]:
        report([*path, name], f"there is {given[0]} already", "keep one of them")
    if destination.protocol == "tcp":
        for name in given:
            if name != "cluster":
                report([*path, name], "protocol: tcp knows no requests", "write protocol: http, or cluster: app")
    if destination.cluster is None and destination.subset is not None and given:
        report([*path, "subset"], "of no use without cluster", "write it in the routes")


def _check_virtual_hosts(path: list[PathStep], hosts: object, report: Report) -> None:
    names: dict[str, int] = {}
    taken: dict[HostPattern, list[PathStep]] = {}
    for place, host in enumerate(hosts if isinstance(hosts, tuple) else ()):
        if not isinstance(host, VirtualHost):
            continue
        if isinstance(host.name, str) and names.setdefault(host.name, place) != place:
            message = f"the name {quoted(host.name)} is taken by {path_text([*path, names[host.name]])}"
            report([*path, place, "name"], message, "give each a name of its own")
        _check_hosts([*path, place, "hosts"], host.hosts, taken, report)
        check_timeouts([*path, place, "timeouts"], host.timeouts, report)
        _Routes(report).check([*path, place], host.routes)
        check_retries([*path, place, "retry"], host.retry, report)
        if host.route_order == "listed":
            _check_listed([*path, place], host.routes, report)


def _check_listed(path: list[PathStep], routes: object, report: Report) -> None:
    """Paths that are asked one by one are asked as regular expressions, which are not as long as paths may be."""
    for place, route in enumerate(routes if isinstance(routes, tuple) else ()):
        matches = route.matches if isinstance(route, Route) else ()
        for number, match in enumerate(matches if isinstance(matches, tuple) else ()):
            for name in ("exact", "prefix"):
                text = getattr(match.path, name, None) if isinstance(match, RouteMatch) else None
                if isinstance(text, str) and len(text) > LISTED_PATH_CHARACTERS:
                    at = [*path, "routes", place, "matches", number, "path", name]
                    report(at, f"longer than {LISTED_PATH_CHARACTERS} characters", "or leave out route_order: listed")


def _check_hosts(
    path: list[PathStep], hosts: object, taken: dict[HostPattern, list[PathStep]], report: Report
) -> None:
    if not isinstance(hosts, tuple):
        return
    if not hosts:
        report(path, "no host", 'for example [shop.example], or ["*"] for any')
    for place, text in enumerate(hosts):
        if not isinstance(text, str):
            continue
        try:
            pattern = parse_host_pattern(text)
        except AddressError as error:
            report([*path, place], error.message, error.hint)
            continue
        here = [*path, place]
        first = taken.setdefault(pattern, here)
        if first is not here:
            report(here, f"{pattern} stands in {path_text(first)} already", "remove one")


class _Routes:
    """The routes of one virtual host."""

    def __init__(self, report: Report) -> None:
        self._report = report
        self._names: dict[str, list[PathStep]] = {}
        self._matches: dict[Hashable, list[PathStep]] = {}

    def check(self, path: list[PathStep], routes: object) -> None:
        """Report what is wrong with `routes`, the field of that name of what is at `path`."""
        for place, route in enumerate(routes if isinstance(routes, tuple) else ()):
            if isinstance(route, Route):
                self._check_route([*path, "routes", place], route)

    def _check_route(self, path: list[PathStep], route: Route) -> None:
        if isinstance(route.name, str) and self._names.setdefault(route.name, path) is not path:
            message = f"the name {quoted(route.name)} is taken by {path_text(self._names[route.name])}"
            self._report([*path, "name"], message, "give each a name of its own")
        if route.matches == ():
            self._check_match(path, RouteMatch())
        for place, match in enumerate(route.matches if isinstance(route.matches, tuple) else ()):
            if isinstance(match, RouteMatch):
                self._check_match([*path, "matches", place], match)

    def _check_match(self, path: list[PathStep], match: RouteMatch) -> None:
        sound = [_check_path([*path, "path"], match.path, self._report)]
        if isinstance(match.method, str) and match.method not in _METHODS and match.method.upper() in _METHODS:
            self._report([*path, "method"], f"no method {quoted(match.method)}", meant(match.method.upper()))
        for name, of in (("headers", HeaderMatch), ("query_parameters", QueryParameterMatch)):
            parts = getattr(match, name)
            sound.append(isinstance(parts, tuple))
            for place, part in enumerate(parts if isinstance(parts, tuple) else ()):
                sound.append(isinstance(part, of) and check_match([*path, name, place], part, self._report))
        if not all(sound) or not isinstance(match.method, str | None):
            return
        first = self._matches.setdefault(match_key(match), path)
        if first is not path:
            message = f"nothing tells it from {path_text(first)}, which comes first"
            self._report(path, message, "give one of them something that the other has not")


def _check_path(path: list[PathStep], match: object, report: Report) -> bool:
    if match is None:
        return True
    return isinstance(match, PathMatch) and check_only_one(path, match, ("exact", "prefix", "regex"), report)


def match_key(match: RouteMatch) -> Hashable:
    """The same for two matches that fit the same requests by the same words."""
    path = match.path or PathMatch(prefix="/")
    if path.prefix is not None:
        path = PathMatch(prefix=path.prefix.rstrip("/"))
    headers = frozenset((each.name.lower(), each.exact, each.prefix, each.regex, each.present, each.invert)
                        for each in match.headers)  # fmt: skip
    return path, match.method, headers, frozenset(match.query_parameters)
