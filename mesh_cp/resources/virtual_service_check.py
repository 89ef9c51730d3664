"""What must hold within a VirtualService, and what in it has no effect."""

from __future__ import annotations

import re

from mesh_core.config.check_header_modifier import check_header_modifier
from mesh_core.config.faults import PathStep
from mesh_core.config.schema import HeaderModifier
from mesh_core.config.schema.common import HOST_LABEL
from mesh_core.config.wording import quoted
from mesh_cp.resources.common import MIRRORS_MOST, Checks, StringMatch, is_given
from mesh_cp.resources.cors_check import check_cors, check_origin
from mesh_cp.resources.virtual_service import (
    FaultInjection,
    Headers,
    HttpMatch,
    HttpRedirect,
    HttpRetry,
    HttpRoute,
    TcpRoute,
    VirtualServiceSpec,
    applies_to_mesh,
)

_PATH = re.compile(r"/[!$&'()*+,;=:@A-Za-z0-9._~%/\[\]{}^|`-]*")
_AUTHORITY = re.compile(rf"{HOST_LABEL}(\.{HOST_LABEL})*(:[1-9][0-9]{{0,4}})?")
_COMMAND = re.compile(r"%[A-Z_]+(\(.*\))?%")
NEW_PATH = re.compile(r"/[A-Za-z0-9._~!$&'()*+,;=:@/%-]{0,1023}")
"""What a path may be that stands in place of another, as the Gateway API has it."""

NOT_NORMAL = re.compile(r"//|/\.\.?(/|$)|%2[fFeE]|%5[cC]|%00|%(?![0-9A-Fa-f]{2})")
"""What makes a path one that a further look could read as another."""

_PATTERN_CHARACTERS = 500
_ANSWERS = ("route", "redirect", "direct_response")
RETRY_CONDITIONS = frozenset((
    "5xx", "gateway-error", "reset", "reset-before-request", "connect-failure", "refused-stream", "retriable-4xx",
    "retriable-status-codes", "cancelled", "deadline-exceeded", "internal", "resource-exhausted", "unavailable",
))  # fmt: skip
"""Of Envoy's reasons to try again those that the proxy knows and that need no more than their name."""

RETRY_STATUS = re.compile(r"[2-5][0-9][0-9]")
_WITHOUT_BODY = (204, 205, 304)
_METHOD = re.compile(r"(?=[^a-z]*$)[A-Za-z0-9!#$%&'*+.^_`|~-]{1,64}")
_TYPES = ("exact", "prefix", "regex")
REDIRECTS = (0, 301, 302, 303, 307, 308)


def check(spec: VirtualServiceSpec, checks: Checks) -> None:
    """Report what cannot be, by Istio's rules, and what has no effect."""
    if not spec.hosts:
        checks.error(["spec", "hosts"], "no host", "for example [reviews]")
    if not spec.is_for_mesh:
        checks.warning(["spec", "gateways"], "it is for gateways only, and there are none: of no effect here",
                       "add mesh, which stands for every sidecar")  # fmt: skip
    elif "*" in spec.hosts:
        at: list[PathStep] = ["spec", "hosts", spec.hosts.index("*")]
        checks.error(at, "* is for gateways; the sidecars would take it for every host", "name the hosts")
    if not (spec.http or spec.tcp):
        checks.error(["spec"], "it has no routes", "add http or tcp")
    for index, route in enumerate(spec.http):
        _check_http(["spec", "http", index], route, checks)
    for index, tcp in enumerate(spec.tcp):
        _check_tcp(["spec", "tcp", index], tcp, checks)


def _check_http(path: list[PathStep], route: HttpRoute, checks: Checks) -> None:
    answer = checks.only_one(path, route, _ANSWERS)
    for index, match in enumerate(route.match):
        _check_match([*path, "match", index], match, checks)
    _check_weights([*path, "route"], [each.weight for each in route.route], checks)
    for index, each in enumerate(route.route):
        _check_headers([*path, "route", index, "headers"], each.headers, checks)
        if each.destination.host.startswith("*"):
            checks.error([*path, "route", index, "destination", "host"], "a destination is one host")
    _check_headers([*path, "headers"], route.headers, checks)
    direct = route.direct_response
    if direct is not None and direct.status in _WITHOUT_BODY and direct.body is not None and direct.body.string:
        checks.error([*path, "directResponse", "body"], f"a response of status {direct.status} has none", "remove it")
    if route.redirect is not None:
        _check_redirect([*path, "redirect"], route.redirect, checks)
    if answer != "route" and answer is not None:
        for name in ("rewrite", "mirror", "mirrors"):
            if is_given(getattr(route, name)):
                checks.error([*path, name], "nothing goes to a destination", f"remove it, or {answer}")
        for name in ("timeout", "retries"):
            if is_given(getattr(route, name)):
                checks.warning([*path, name], "nothing goes to a destination: of no effect", "remove it")
    checks.only_one(path, route, ("mirror", "mirrors"), required=False)
    checks.only_one(path, route, ("mirror_percentage", "mirror_percent"), required=False)
    _check_rewrite(path, route, checks)
    _check_extras(path, route, checks)


def _check_redirect(path: list[PathStep], redirect: HttpRedirect, checks: Checks) -> None:
    if redirect.redirect_code not in REDIRECTS:
        message = f"{redirect.redirect_code} leads nowhere"
        checks.error([*path, "redirectCode"], message, "write 301, 302, 303, 307 or 308")
    if (redirect.uri, redirect.authority, redirect.port, redirect.scheme, redirect.derive_port) == (None,) * 5:
        checks.error(path, "leads to where it came from", "add uri, authority, port or scheme")
    if redirect.uri is not None:
        _check_path([*path, "uri"], redirect.uri, checks)
    if redirect.authority is not None:
        _check_authority([*path, "authority"], redirect.authority, checks)
    checks.only_one(path, redirect, ("port", "derive_port"), required=False)
    if redirect.derive_port == "FROM_PROTOCOL_DEFAULT" and redirect.scheme is None:
        checks.error([*path, "derivePort"], "which protocol is meant?", "add scheme")
    if redirect.derive_port == "FROM_REQUEST_PORT" and redirect == HttpRedirect(derive_port="FROM_REQUEST_PORT"):
        checks.error(path, "leads to where it came from", "add uri, authority or scheme")


def _check_authority(path: list[PathStep], text: str, checks: Checks) -> None:
    port = text.partition(":")[2]
    if not _AUTHORITY.fullmatch(text) or len(text) > 253 or (port and int(port) > 65535):
        checks.error(path, f"{quoted(text)} is no host", "for example shop.example")


def _check_path(path: list[PathStep], text: str, checks: Checks) -> None:
    """Report a new path that is none, or that a further look could read as another."""
    if not NEW_PATH.fullmatch(text):
        checks.error(path, f"{quoted(text)} is no path", "for example /v1")
    elif NOT_NORMAL.search(text):
        checks.error(path, f"{quoted(text)} is not normalized", "leave out //, /./, /../ and escaped slashes")


def _check_rewrite(path: list[PathStep], route: HttpRoute, checks: Checks) -> None:
    rewrite = route.rewrite
    if rewrite is None:
        return
    if rewrite.uri is None and rewrite.authority is None:
        checks.error([*path, "rewrite"], "changes nothing", "add uri or authority")
    if rewrite.authority is not None:
        _check_authority([*path, "rewrite", "authority"], rewrite.authority, checks)
    if rewrite.uri is None:
        return
    here = [*path, "rewrite", "uri"]
    _check_path(here, rewrite.uri, checks)
    kinds = {"prefix" if match.uri is None else next(t for t in _TYPES if getattr(match.uri, t) is not None)
             for match in route.match if match.uri is None or _one(match.uri)}  # fmt: skip
    if "regex" in kinds:
        checks.error(here, "a path that a regular expression matched cannot be rewritten", "match by prefix or exact")
    if len(kinds) > 1:
        checks.error(here, "some matches are by prefix, and others are not", "write a route for each")
    for index, match in enumerate(route.match):
        prefix = match.uri.prefix if match.uri is not None else None
        if prefix is not None and not prefix.endswith("/"):
            at = [*path, "match", index, "uri", "prefix"]
            checks.warning(at, f"with a rewrite {quoted(prefix)} is compared by segments: not with {prefix}x")
        if match.ignore_uri_case:
            checks.error([*path, "match", index, "ignoreUriCase"], "not with a rewrite", "remove it")


def _check_extras(path: list[PathStep], route: HttpRoute, checks: Checks) -> None:
    """What it does besides choosing a destination."""
    checks.at_most([*path, "mirrors"], route.mirrors, MIRRORS_MOST)
    if route.retries is not None:
        _check_retries([*path, "retries"], route.retries, checks)
    if route.fault is not None:
        _check_fault([*path, "fault"], route.fault, checks)
    cors = route.cors_policy
    if cors is not None:
        check_cors([*path, "corsPolicy"], cors, (*cors.allow_origin, *cors.allow_origins), checks)
        for index, origin in enumerate(cors.allow_origins):
            at: list[PathStep] = [*path, "corsPolicy", "allowOrigins", index]
            _check_string(at, origin, checks)
            check_origin(at, origin, checks)


def _check_retries(path: list[PathStep], retries: HttpRetry, checks: Checks) -> None:
    checks.retries(path, retries.attempts)
    if retries.retry_ignore_previous_hosts is False:
        checks.warning([*path, "retryIgnorePreviousHosts"], "a retry goes to another endpoint while there is one")
    for word in (retries.retry_on or "").split(","):
        if word.strip() and word.strip() not in RETRY_CONDITIONS and not RETRY_STATUS.fullmatch(word.strip()):
            checks.warning([*path, "retryOn"], f"{quoted(word.strip())} is not a reason to try again here")


def _check_fault(path: list[PathStep], fault: FaultInjection, checks: Checks) -> None:
    if fault.delay is not None:
        checks.only_one([*path, "delay"], fault.delay, ("percentage", "percent"), required=False)
    if fault.abort is not None:
        checks.only_one([*path, "abort"], fault.abort, ("http_status", "grpc_status"))
        if fault.abort.grpc_status is not None:
            checks.error([*path, "abort", "grpcStatus"], "answers of gRPC are not made here", "write httpStatus")


# --- matches ---


def _check_match(path: list[PathStep], match: HttpMatch, checks: Checks) -> None:
    if not applies_to_mesh(match.gateways):
        checks.warning([*path, "gateways"], "it is for gateways only, and there are none: of no effect here")
    if match.uri is not None:
        _check_string([*path, "uri"], match.uri, checks)
        for name in ("exact", "prefix"):
            text = getattr(match.uri, name)
            if text is not None and (not _PATH.fullmatch(text) or len(text) > _PATTERN_CHARACTERS):
                checks.error([*path, "uri", name], f"{quoted(text)} is no path", "for example /api")
    if match.method is not None:
        _check_method([*path, "method"], match.method, checks)
    for name, matches in (("headers", match.headers), ("withoutHeaders", match.without_headers)):
        for header, text in matches.items():
            if header.lower() == "host":
                checks.error([*path, name, header], "the host is what hosts are for", "remove it")
            if is_given(text.exact) or is_given(text.prefix) or is_given(text.regex):
                _check_string([*path, name, header], text, checks)
    for parameter, text in match.query_params.items():
        if text.prefix is not None:
            checks.error([*path, "queryParams", parameter, "prefix"], "write a regex", "for example v1.*")
        elif is_given(text.exact) or is_given(text.regex):
            _check_string([*path, "queryParams", parameter], text, checks)


def _check_method(path: list[PathStep], method: StringMatch, checks: Checks) -> None:
    _check_string(path, method, checks)
    if method.exact is None:
        checks.error(path, "a method is matched by exact only", "write a match for each")
    elif not _METHOD.fullmatch(method.exact):
        checks.error([*path, "exact"], f"no method {quoted(method.exact)}", "for example GET")


def _check_string(path: list[PathStep], match: StringMatch, checks: Checks) -> None:
    checks.only_one(path, match, _TYPES)
    checks.regex([*path, "regex"], match.regex)


def _one(match: StringMatch) -> bool:
    return sum(getattr(match, name) is not None for name in _TYPES) == 1


# --- destinations ---


def _check_weights(path: list[PathStep], weights: list[int], checks: Checks) -> None:
    if len(weights) > 1 and sum(weights) == 0:
        checks.error(path, "the weights add up to 0", "give one of them a weight")
    if len(weights) > 128:
        checks.error([*path, 128], "more than 128 destinations", "use several routes")


def _check_headers(path: list[PathStep], headers: Headers | None, checks: Checks) -> None:
    if headers is None:
        return
    for name in ("request", "response"):
        operations = getattr(headers, name)
        if operations is not None:
            check_operations([*path, name], operations.set, operations.add, operations.remove, checks)


def check_operations(
    path: list[PathStep], to_set: dict[str, str], to_add: dict[str, str], to_remove: tuple[str, ...], checks: Checks
) -> None:
    """Report headers that a proxy does not change, and values that Envoy would not take literally."""
    for name, values in (("set", to_set), ("add", to_add)):
        for header, value in values.items():
            if _COMMAND.search(value):
                checks.error([*path, name, header], f"{quoted(value)} has a command of Envoy's, which is not followed")
    check_header_modifier(path, HeaderModifier(set=to_set, add=to_add, remove=to_remove), checks.error)


def _check_tcp(path: list[PathStep], route: TcpRoute, checks: Checks) -> None:
    if not route.route:
        checks.error(path, "nothing is asked for", "add route")
    _check_weights([*path, "route"], [each.weight for each in route.route], checks)
    if len(route.route) > 1:
        at = [*path, "route", 1]
        message = "a connection goes to the destination of the largest weight"
        checks.warning(at, message, "split requests, not connections")
    for index, match in enumerate(route.match):
        if not applies_to_mesh(match.gateways):
            at = [*path, "match", index, "gateways"]
            checks.warning(at, "it is for gateways only, and there are none: of no effect here")
