"""What must hold within a policy of retries."""

from __future__ import annotations

from typing import Final

from mesh_core.config.check_matches import check_match
from mesh_core.config.faults import PathStep, Report
from mesh_core.config.schema import HeaderMatch, RouteRetry
from mesh_core.config.wording import listed, meant, quoted

METHODS: Final = ("GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "TRACE", "PATCH")
"""Those that a policy can tell apart; CONNECT opens a tunnel, and is never sent twice."""

_HEADERS_MOST = 16


def check_retries(path: list[PathStep], retry: object, report: Report) -> None:
    """Report everything in the RouteRetry at `path`, if it is one, that cannot work."""
    if not isinstance(retry, RouteRetry):
        return
    _check_methods([*path, "methods"], retry, report)
    _check_headers(path, retry, report)
    base, longest = retry.base_interval_ms, retry.max_interval_ms
    if isinstance(base, int) and isinstance(longest, int) and longest < base:
        message = f"{longest} is less than base_interval_ms, {base}"
        report([*path, "max_interval_ms"], message, f"write {base} or more")


def _check_methods(path: list[PathStep], retry: RouteRetry, report: Report) -> None:
    for place, method in enumerate(retry.methods if isinstance(retry.methods, tuple) else ()):
        if isinstance(method, str) and method not in METHODS:
            known = meant(method.upper()) if method.upper() in METHODS else f"write {listed(METHODS)}"
            report([*path, place], f"no method {quoted(method)}", known)


def _check_headers(path: list[PathStep], retry: RouteRetry, report: Report) -> None:
    headers = retry.headers if isinstance(retry.headers, tuple) else ()
    named = isinstance(retry.retry_on, tuple) and "retriable-headers" in retry.retry_on
    if named and retry.headers == ():
        report([*path, "headers"], "missing: retry_on has retriable-headers", "add [{name: x-retry, present: true}]")
    if headers and isinstance(retry.retry_on, tuple) and not named:
        message = "of no use: retry_on has no retriable-headers"
        report([*path, "headers"], message, "add it to retry_on, or remove headers")
    if len(headers) > _HEADERS_MOST:
        report([*path, "headers", _HEADERS_MOST], f"more than {_HEADERS_MOST}", "remove some")
    for place, match in enumerate(headers):
        if isinstance(match, HeaderMatch):
            check_match([*path, "headers", place], match, report)
