"""What must hold within the traffic policies of routes and virtual hosts, and between their rules of one name."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from mesh_core.config.check_matches import check_match, check_regex
from mesh_core.config.destinations import destinations, routes
from mesh_core.config.faults import PathStep, Report
from mesh_core.config.schema import (
    Cors,
    FaultInjection,
    HeaderMatch,
    Listener,
    RateLimit,
    RateLimitDescriptor,
    Route,
    VirtualHost,
)
from mesh_core.config.wording import path_text, quoted

_RULES_MOST = 8
_MIRRORS_MOST = 4
_MATCHES_MOST = 16
_KEYS = ("header", "source_address", "path_segments")
_CORS_MOST = {
    "allow_origins": 64,
    "allow_origin_regexes": 16,
    "allow_methods": 32,
    "allow_headers": 64,
    "expose_headers": 64,
}
_YEAR_MS = 366 * 86_400_000
_TOKENS_A_SECOND_MOST = 1_000_000

_Place = list[PathStep]


def check_policies(listeners: Sequence[tuple[int, Listener]], report: Report) -> None:
    """Report everything in CORS, faults, rate limits and mirrors that cannot work."""
    rules: dict[str, tuple[RateLimit, _Place]] = {}
    for index, listener in listeners:
        for below, of in _with_policies(listener):
            path: _Place = ["listeners", index, *below]
            if isinstance(of.cors, Cors):
                _check_cors([*path, "cors"], of.cors, report)
            if isinstance(of.fault, FaultInjection):
                _check_fault([*path, "fault"], of.fault, report)
            if isinstance(of.rate_limits, tuple):
                _check_rate_limits([*path, "rate_limits"], of.rate_limits, rules, report)
            if isinstance(of.mirrors, tuple):
                _check_count([*path, "mirrors"], of.mirrors, _MIRRORS_MOST, report)


def _with_policies(listener: Listener) -> Iterator[tuple[_Place, Route | VirtualHost]]:
    """Whatever may have policies, with its path within the listener."""
    for path, destination in destinations(listener):
        for place, route in routes(destination):
            yield [*path, *place], route
        hosts = destination.virtual_hosts
        for index, host in enumerate(hosts if isinstance(hosts, tuple) else ()):
            if isinstance(host, VirtualHost):
                yield [*path, "virtual_hosts", index], host


def _check_count(path: _Place, items: object, most: int, report: Report) -> None:
    if isinstance(items, tuple) and len(items) > most:
        report([*path, most], f"more than {most}", "remove some")


def _check_matches(path: _Place, matches: object, report: Report) -> None:
    _check_count(path, matches, _MATCHES_MOST, report)
    for place, match in enumerate(matches if isinstance(matches, tuple) else ()):
        if isinstance(match, HeaderMatch):
            check_match([*path, place], match, report)


def _check_cors(path: _Place, cors: Cors, report: Report) -> None:
    for name, most in _CORS_MOST.items():
        _check_count([*path, name], getattr(cors, name), most, report)
    if cors.allow_origins == () and cors.allow_origin_regexes == ():
        report([*path, "allow_origins"], "no origin is allowed", 'for example [https://shop.example], or ["*"] for any')
    for place, pattern in enumerate(cors.allow_origin_regexes if isinstance(cors.allow_origin_regexes, tuple) else ()):
        check_regex([*path, "allow_origin_regexes", place], pattern, report)
    if cors.allow_credentials is True and isinstance(cors.expose_headers, tuple) and "*" in cors.expose_headers:
        at = [*path, "expose_headers", cors.expose_headers.index("*")]
        report(at, "with allow_credentials a browser takes * for a name", "name the headers")


def _check_fault(path: _Place, fault: FaultInjection, report: Report) -> None:
    if fault.delay is None and fault.abort is None and fault.by_request_headers is False:
        report(path, "neither delay nor abort", "add one of them, or by_request_headers: true")
    _check_matches([*path, "headers"], fault.headers, report)


def _check_rate_limits(
    path: _Place, rules: Sequence[object], known: dict[str, tuple[RateLimit, _Place]], report: Report
) -> None:
    _check_count(path, rules, _RULES_MOST, report)
    for place, rule in enumerate(rules):
        if not isinstance(rule, RateLimit):
            continue
        here = [*path, place]
        _check_rate(here, rule, report)
        _check_matches([*here, "headers"], rule.headers, report)
        _check_count([*here, "descriptors"], rule.descriptors, _RULES_MOST, report)
        for index, key in enumerate(rule.descriptors if isinstance(rule.descriptors, tuple) else ()):
            if isinstance(key, RateLimitDescriptor):
                _check_key([*here, "descriptors", index], key, report)
        if isinstance(rule.name, str):
            first, other = known.setdefault(rule.name, (rule, here))
            if first != rule:
                message = f"another rule of the name {quoted(rule.name)} stands in {path_text(other)}"
                report([*here, "name"], message, "write the same rule, or give it a name of its own")


def _check_rate(path: _Place, rule: RateLimit, report: Report) -> None:
    numbers = (rule.max_tokens, rule.tokens_per_fill, rule.fill_interval_ms)
    if not all(isinstance(number, int) for number in numbers):
        return
    if rule.tokens_per_fill * 1000 > _TOKENS_A_SECOND_MOST * rule.fill_interval_ms:
        message = f"more than {_TOKENS_A_SECOND_MOST} tokens a second are as good as no limit"
        report([*path, "tokens_per_fill"], message, "lower it, or remove the rule")
    elif rule.max_tokens * rule.fill_interval_ms > _YEAR_MS * rule.tokens_per_fill:
        report([*path, "max_tokens"], "filling the bucket would take more than a year", "lower it, or fill it faster")


def _check_key(path: _Place, key: RateLimitDescriptor, report: Report) -> None:
    given = [name for name in _KEYS if getattr(key, name) not in (None, False)]
    if not given:
        report(path, "nothing to tell requests apart by", f"add one of {', '.join(_KEYS)}")
    for name in given[1:]:
        report([*path, name], f"there is {given[0]} already", "write a descriptor for each")
