"""What must hold within what a route does; what its clusters must be is in `check` and `check_balancing`."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Sequence
from typing import Any

from mesh_core.config.check_header_modifier import check_header_modifier
from mesh_core.config.check_timeouts import check_timeouts
from mesh_core.config.faults import PathStep, Report
from mesh_core.config.schema import (
    AffinityCookie,
    DirectResponse,
    HashCookie,
    HashPolicy,
    PathMatch,
    PathModifier,
    Redirect,
    Rewrite,
    Route,
    RouteMatch,
    SessionAffinity,
    WeightedCluster,
)
from mesh_core.config.wording import path_text, quoted

_ACTIONS = ("cluster", "clusters", "redirect", "direct_response")
_FORWARDING = (
    "rewrite", "request_headers", "hash_policy", "session_affinity", "upgrades", "timeouts", "body_limits", "retry",
    "mirrors",
)  # fmt: skip
_HASHED = ("header", "cookie", "source_ip", "query_parameter")
_REDIRECTS = (301, 302, 303, 307, 308)
_WITHOUT_BODY = (204, 205, 304)
_CLUSTERS_MOST = 128
_LIST_MOST = 16


def check_route_actions(path: list[PathStep], route: Route, report: Report) -> None:
    """Report everything in what the route at `path` does that cannot work, but whether its clusters are there."""
    by_prefix = _is_by_prefix(route.matches)
    _check_kind(path, route, report)
    if isinstance(route.clusters, tuple):
        _check_clusters([*path, "clusters"], route.clusters, report)
    if isinstance(route.redirect, Redirect):
        _check_redirect([*path, "redirect"], route.redirect, by_prefix, report)
    if isinstance(route.direct_response, DirectResponse):
        _check_direct_response([*path, "direct_response"], route.direct_response, report)
    if isinstance(route.rewrite, Rewrite):
        _check_rewrite([*path, "rewrite"], route.rewrite, by_prefix, report)
    for name in ("request_headers", "response_headers"):
        check_header_modifier([*path, name], getattr(route, name), report)
    if isinstance(route.hash_policy, tuple):
        _check_hash_policies([*path, "hash_policy"], route.hash_policy, report)
    _check_cookie_names(path, route, report)
    check_timeouts([*path, "timeouts"], route.timeouts, report)
    if isinstance(route.upgrades, tuple):
        _check_upgrades([*path, "upgrades"], route.upgrades, report)


def _is_by_prefix(matches: object) -> bool:
    """Whether each match is by a prefix of the path, so that there is one to replace; also when that cannot be read."""
    for match in matches if isinstance(matches, tuple) else ():
        path = match.path if isinstance(match, RouteMatch) else None
        if isinstance(path, PathMatch) and path.prefix is None:
            return False
    return True


def _check_kind(path: list[PathStep], route: Route, report: Report) -> None:
    """Exactly one action, and beside it only what it has use for."""
    given = [name for name in _ACTIONS if getattr(route, name) is not None]
    if not given:
        report([*path, "cluster"], "missing", "add cluster: app, or one of clusters, redirect and direct_response")
    for name in given[1:]:
        report([*path, name], f"there is {given[0]} already", "keep one of them")
    if route.subset is not None and given and "cluster" not in given:
        report([*path, "subset"], "of use with cluster only", "remove it, or write it beside each of clusters")
    if len(given) == 1 and given[0] in ("redirect", "direct_response"):
        for name in _FORWARDING:
            if getattr(route, name) not in (None, ()):
                report([*path, name], f"with {given[0]} nothing goes to an upstream", "remove it")


def _check_clusters(path: list[PathStep], clusters: Sequence[object], report: Report) -> None:
    if not clusters:
        report(path, "no cluster to choose from", "for example [{cluster: app, weight: 1}]")
    if len(clusters) > _CLUSTERS_MOST:
        report([*path, _CLUSTERS_MOST], f"more than {_CLUSTERS_MOST} clusters", "use several routes")
    for place, each in enumerate(clusters):
        if isinstance(each, WeightedCluster):
            for name in ("request_headers", "response_headers"):
                check_header_modifier([*path, place, name], getattr(each, name), report)


# --- paths and hosts ---


def _check_redirect(path: list[PathStep], redirect: Redirect, by_prefix: bool, report: Report) -> None:
    if (redirect.scheme, redirect.host, redirect.port, redirect.path) == (None, None, None, None):
        report(path, "leads to where it came from", "add scheme, host, port or path")
    if isinstance(redirect.status, int) and redirect.status not in _REDIRECTS:
        report([*path, "status"], f"{redirect.status} leads nowhere", "write 301, 302, 303, 307 or 308")
    _check_host([*path, "host"], redirect.host, report)
    _check_path([*path, "path"], redirect.path, by_prefix, report)


def _check_rewrite(path: list[PathStep], rewrite: Rewrite, by_prefix: bool, report: Report) -> None:
    if rewrite.path is None and rewrite.host is None:
        report(path, "changes nothing", "add path or host, or remove it")
    _check_host([*path, "host"], rewrite.host, report)
    _check_path([*path, "path"], rewrite.path, by_prefix, report)


def _check_host(path: list[PathStep], text: object, report: Report) -> None:
    """A host of the schema's form, with or without a port."""
    if not isinstance(text, str):
        return
    if text.startswith("["):
        host, _, port = text[1:].partition("]")
        try:
            ipaddress.IPv6Address(host)
        except ValueError:
            report(path, f"not an IPv6 address: {quoted(host)}", "for example [::1]")
        port = port.removeprefix(":")
    else:
        _, _, port = text.partition(":")
    if port and int(port) > 65535:
        report(path, f"not a port: {port}", "write 1 to 65535")


def _check_path(path: list[PathStep], modifier: object, by_prefix: bool, report: Report) -> None:
    if not isinstance(modifier, PathModifier):
        return
    if modifier.full is None and modifier.prefix is None:
        report(path, "neither full nor prefix", "add one of them")
    elif modifier.full is not None and modifier.prefix is not None:
        report([*path, "prefix"], "there is full already", "keep one of them")
    elif modifier.prefix is not None and not by_prefix:
        message = "there is no prefix to replace: not every match of this route is by one"
        report([*path, "prefix"], message, "match by path: {prefix: …} only, or write full")
    for name in ("full", "prefix"):
        text = getattr(modifier, name)
        if isinstance(text, str):
            _check_normalized([*path, name], text, report)


def _check_normalized(path: list[PathStep], text: str, report: Report) -> None:
    """Nothing in `text` that a further look could read as another path than the one that policy was asked about."""
    if re.search(r"%(?![0-9A-Fa-f]{2})", text):
        report(path, f"{quoted(text)} has a % that is no escape", "write %25")
    elif re.search(r"%(00|2[Ff]|5[Cc]|2[Ee])", text):
        report(path, f"{quoted(text)} has an escaped NUL, slash, backslash or dot", "leave it out, or unescaped")
    elif "//" in text or any(segment in (".", "..") for segment in text.split("/")):
        report(path, f"{quoted(text)} is not normalized", "leave out empty, . and .. segments")


def _check_direct_response(path: list[PathStep], response: DirectResponse, report: Report) -> None:
    if response.status in _WITHOUT_BODY and response.body not in ("", None):
        message = f"a response of status {response.status} has none"
        report([*path, "body"], message, "remove it, or write another status")


# --- what requests are known by ---


def _check_hash_policies(path: list[PathStep], policies: Sequence[object], report: Report) -> None:
    _check_count(path, policies, report)
    made: int | None = None
    for place, policy in enumerate(policies):
        if not isinstance(policy, HashPolicy):
            continue
        given = [name for name in _HASHED if getattr(policy, name) not in (None, False)]
        if not given:
            report([*path, place], "nothing to hash", f"add one of {', '.join(_HASHED)}")
        for name in given[1:]:
            report([*path, place, name], f"there is {given[0]} already", "write a policy for each")
        if isinstance(policy.cookie, HashCookie) and isinstance(policy.cookie.ttl_s, int):
            if made is not None:
                at = [*path, place, "cookie", "ttl_s"]
                message = f"{path_text([*path, made, 'cookie'])} is made already"
                report(at, message, "one cookie that is made is enough for a route: remove ttl_s")
            made = place if made is None else made


def _check_cookie_names(path: list[PathStep], route: Route, report: Report) -> None:
    """The cookie of a session is nobody else's."""
    affinity: Any = route.session_affinity
    if not isinstance(affinity, SessionAffinity) or not isinstance(affinity.cookie, AffinityCookie):
        return
    for place, policy in enumerate(route.hash_policy if isinstance(route.hash_policy, tuple) else ()):
        cookie = policy.cookie if isinstance(policy, HashPolicy) else None
        if isinstance(cookie, HashCookie) and cookie.name == affinity.cookie.name and isinstance(cookie.name, str):
            other = path_text([*path, "session_affinity"])
            report([*path, "hash_policy", place, "cookie", "name"], f"is the cookie of {other}", "choose another name")


def _check_upgrades(path: list[PathStep], names: Sequence[object], report: Report) -> None:
    _check_count(path, names, report)
    first: dict[str, int] = {}
    for place, name in enumerate(names):
        if not isinstance(name, str):
            continue
        if name.lower() == "h2c" or name.lower().startswith("http/"):
            message = f"{quoted(name)} would take requests past routes and policies"
            report([*path, place], message, "HTTP itself is no protocol to change to")
        elif first.setdefault(name.lower(), place) != place:
            report([*path, place], f"stands here already, as {path_text([*path, first[name.lower()]])}", "remove one")


def _check_count(path: list[PathStep], items: Sequence[object], report: Report) -> None:
    if len(items) > _LIST_MOST:
        report([*path, _LIST_MOST], f"more than {_LIST_MOST}", "remove some")
