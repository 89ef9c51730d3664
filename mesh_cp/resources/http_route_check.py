"""What must hold within an HTTPRoute, and what in it has no effect."""

from __future__ import annotations

from collections import Counter

from mesh_core.config.check_header_modifier import check_header_modifier
from mesh_core.config.faults import PathStep
from mesh_core.config.schema import HeaderModifier
from mesh_core.config.wording import quoted
from mesh_cp.resources.common import MIRRORS_MOST, Checks, is_given, milliseconds
from mesh_cp.resources.cors_check import check_cors
from mesh_cp.resources.gateway_api import BackendObject, check_backend, check_parents
from mesh_cp.resources.http_route import (
    Filter,
    HeaderFilter,
    HttpRouteSpec,
    HttpRule,
    PathModifier,
    RequestMirror,
    RouteMatch,
    Timeouts,
)
from mesh_cp.resources.virtual_service_check import NEW_PATH, NOT_NORMAL

_FIELDS = {
    "RequestHeaderModifier": ("request_header_modifier", "requestHeaderModifier"),
    "ResponseHeaderModifier": ("response_header_modifier", "responseHeaderModifier"),
    "RequestRedirect": ("request_redirect", "requestRedirect"),
    "URLRewrite": ("url_rewrite", "urlRewrite"),
    "RequestMirror": ("request_mirror", "requestMirror"),
    "CORS": ("cors", "cors"),
}
_FOR_BACKENDS = ("RequestHeaderModifier", "ResponseHeaderModifier")
_REDIRECTS = (301, 302, 303, 307, 308)


def check(spec: HttpRouteSpec, checks: Checks) -> None:
    """Report what cannot be, by the Gateway API's rules, and what has no effect."""
    check_parents(spec.parent_refs, checks)
    if spec.hostnames and any(parent.is_service for parent in spec.parent_refs):
        checks.warning(["spec", "hostnames"], "of no effect with a Service, as in the Gateway API", "remove them")
    for index, rule in enumerate(spec.rules):
        _check_rule(["spec", "rules", index], rule, checks)


def _check_rule(path: list[PathStep], rule: HttpRule, checks: Checks) -> None:
    for index, match in enumerate(rule.matches):
        _check_match([*path, "matches", index], match, checks)
    by_prefix = all(match.path.type == "PathPrefix" for match in rule.matches)
    _check_filters([*path, "filters"], rule.filters, by_prefix, checks)
    types = [each.type for each in rule.filters]
    if "RequestRedirect" in types:
        if rule.backend_refs:
            checks.error([*path, "backendRefs"], "requests are redirected", "remove them, or the filter")
        if "URLRewrite" in types:
            checks.error([*path, "filters", types.index("URLRewrite")], "requests are redirected", "remove one of both")
        if "RequestMirror" in types:
            at = [*path, "filters", types.index("RequestMirror")]
            checks.warning(at, "requests are redirected, and not copied: of no effect", "remove one of both")
        for name, given in (("timeouts", rule.timeouts), ("retry", rule.retry)):
            if given is not None:
                checks.warning([*path, name], "requests are redirected: of no effect", "remove it")
    if len(rule.backend_refs) > 128:
        checks.error([*path, "backendRefs", 128], "more than 128 backends", "use several rules")
    for index, backend in enumerate(rule.backend_refs):
        here = [*path, "backendRefs", index]
        _check_backend(here, backend, checks)
        for place, each in enumerate(backend.filters):
            if each.type not in _FOR_BACKENDS:
                message = f"{each.type} is for the whole rule only"
                checks.error([*here, "filters", place, "type"], message, "write it in the rule's filters")
        _check_filters([*here, "filters"], backend.filters, by_prefix, checks)
    mirrors = [each for each in rule.filters if each.type == "RequestMirror"]
    checks.at_most([*path, "filters"], mirrors, MIRRORS_MOST)
    _check_tries(path, rule, checks)


def _check_tries(path: list[PathStep], rule: HttpRule, checks: Checks) -> None:
    if rule.timeouts is not None:
        _check_timeouts([*path, "timeouts"], rule.timeouts, checks)
    if rule.retry is not None:
        checks.retries([*path, "retry"], rule.retry.attempts)
    sessions = rule.session_persistence
    if sessions is not None:
        here = [*path, "sessionPersistence"]
        if sessions.type == "Header":
            checks.error([*here, "type"], "sessions are known by a cookie", "write type: Cookie")
        if sessions.cookie_settings.lifetime_type == "Permanent" and sessions.absolute_timeout is None:
            checks.error([*here, "absoluteTimeout"], "missing", "a permanent cookie needs to know how long it lasts")


def _check_timeouts(path: list[PathStep], timeouts: Timeouts, checks: Checks) -> None:
    if timeouts.request is None or timeouts.backend_request is None:
        return
    whole, each = milliseconds(timeouts.request), milliseconds(timeouts.backend_request)
    if whole and each > whole:
        checks.error([*path, "backendRequest"], "longer than request", "a try cannot take longer than all of them")


def _check_match(path: list[PathStep], match: RouteMatch, checks: Checks) -> None:
    here = [*path, "path", "value"]
    if match.path.type == "RegularExpression":
        checks.regex(here, match.path.value)
    elif not NEW_PATH.fullmatch(match.path.value):
        checks.error(here, f"{quoted(match.path.value)} is no path", "for example /api")
    elif NOT_NORMAL.search(match.path.value):
        checks.error(here, f"{quoted(match.path.value)} is not normalized", "leave out //, /./, /../ and %2F")
    for index, header in enumerate(match.headers):
        if header.type == "RegularExpression":
            checks.regex([*path, "headers", index, "value"], header.value)
        if header.name.lower() == "host":
            checks.error([*path, "headers", index, "name"], "the host is what parentRefs are for")
    for index, parameter in enumerate(match.query_params):
        if parameter.type == "RegularExpression":
            checks.regex([*path, "queryParams", index, "value"], parameter.value)


# --- filters ---


def _check_filters(path: list[PathStep], filters: tuple[Filter, ...], by_prefix: bool, checks: Checks) -> None:
    counts = Counter(each.type for each in filters)
    for index, each in enumerate(filters):
        here = [*path, index]
        if counts[each.type] > 1 and each.type != "RequestMirror":
            checks.error([*here, "type"], f"{each.type} stands here {counts[each.type]} times", "write it once")
        attribute, name = _FIELDS.get(each.type, (None, None))
        if attribute is None or name is None:
            # It has been named as not supported by its field; the type alone does nothing.
            if each.type not in _FIELDS:
                checks.error([*here, "type"], f"{each.type} is not supported")
            continue
        if getattr(each, attribute) is None:
            checks.error([*here, name], "missing", f"type: {each.type} needs it")
        for other, other_name in _FIELDS.values():
            if other != attribute and getattr(each, other) is not None:
                checks.error([*here, other_name], f"the type is {each.type}", "write a filter for each")
        _check_filter(here, each, by_prefix, checks)


def _check_filter(path: list[PathStep], each: Filter, by_prefix: bool, checks: Checks) -> None:
    for name, modifier in (("requestHeaderModifier", each.request_header_modifier),
                           ("responseHeaderModifier", each.response_header_modifier)):  # fmt: skip
        if modifier is not None:
            _check_headers([*path, name], modifier, checks)
    redirect = each.request_redirect
    if redirect is not None:
        here = [*path, "requestRedirect"]
        if redirect.status_code not in _REDIRECTS:
            hint = "write 301, 302, 303, 307 or 308"
            checks.error([*here, "statusCode"], f"{redirect.status_code} leads nowhere", hint)
        if (redirect.scheme, redirect.hostname, redirect.path, redirect.port) == (None, None, None, None):
            checks.error(here, "leads to where it came from", "add scheme, hostname, port or path")
        _check_path([*here, "path"], redirect.path, by_prefix, checks)
    if each.url_rewrite is not None:
        here = [*path, "urlRewrite"]
        if each.url_rewrite.hostname is None and each.url_rewrite.path is None:
            checks.error(here, "changes nothing", "add hostname or path")
        _check_path([*here, "path"], each.url_rewrite.path, by_prefix, checks)
    if each.request_mirror is not None:
        _check_mirror([*path, "requestMirror"], each.request_mirror, checks)
    if each.cors is not None:
        check_cors([*path, "cors"], each.cors, each.cors.allow_origins, checks)


def _check_mirror(path: list[PathStep], mirror: RequestMirror, checks: Checks) -> None:
    _check_backend([*path, "backendRef"], mirror.backend_ref, checks)
    checks.only_one(path, mirror, ("percent", "fraction"), required=False)
    if mirror.fraction is not None and mirror.fraction.numerator > mirror.fraction.denominator:
        checks.error([*path, "fraction"], "more than all requests", "the numerator is at most the denominator")


def _check_headers(path: list[PathStep], modifier: HeaderFilter, checks: Checks) -> None:
    for name in ("set", "add"):
        seen: set[str] = set()
        for index, header in enumerate(getattr(modifier, name)):
            if is_given(header.name) and header.name.lower() in seen:
                checks.error([*path, name, index, "name"], f"{quoted(header.name)} stands here already", "name it once")
            seen.add(header.name.lower())
    check_header_modifier(path, header_modifier(modifier), lambda at, message, hint: checks.error(path, message, hint))


def header_modifier(modifier: HeaderFilter) -> HeaderModifier:
    """The same in the proxy's words."""
    return HeaderModifier(
        set={each.name: each.value for each in modifier.set},
        add={each.name: each.value for each in modifier.add},
        remove=modifier.remove,
    )


def _check_path(path: list[PathStep], modifier: PathModifier | None, by_prefix: bool, checks: Checks) -> None:
    if modifier is None:
        return
    checks.only_one(path, modifier, ("replace_full_path", "replace_prefix_match"))
    wants_full = modifier.type == "ReplaceFullPath"
    name = "replaceFullPath" if wants_full else "replacePrefixMatch"
    text = modifier.replace_full_path if wants_full else modifier.replace_prefix_match
    if text is None:
        checks.error([*path, name], "missing", f"type: {modifier.type} needs it")
    elif not (text == "" and not wants_full) and not NEW_PATH.fullmatch(text):
        checks.error([*path, name], f"{quoted(text)} is no path", "for example /new")
    elif NOT_NORMAL.search(text):
        checks.error([*path, name], f"{quoted(text)} is not normalized", "leave out //, /./, /../ and escaped slashes")
    if not wants_full and not by_prefix:
        message = "there is no prefix to replace: not every match of this rule is by one"
        checks.error([*path, "type"], message, "match by PathPrefix only, or write ReplaceFullPath")


def _check_backend(path: list[PathStep], backend: BackendObject, checks: Checks) -> None:
    check_backend(path, backend, checks)
    if backend.namespace is not None and backend.namespace != checks.namespace:
        message = "ReferenceGrants are not read: every namespace may be sent to"
        checks.warning([*path, "namespace"], message)
