"""What must hold within CORS, whichever kind asks for it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import get_args

from mesh_core.config.faults import PathStep
from mesh_core.config.schema.cors import CorsOrigin
from mesh_core.config.wording import quoted
from mesh_cp.resources import http_route, virtual_service
from mesh_cp.resources.common import Checks, StringMatch

_ORIGIN = re.compile(get_args(CorsOrigin)[1].pattern)
_ORIGINS_MOST = 64
_PATTERNS_MOST = 16
_PREFIX_CHARACTERS = 256
_METHODS_MOST = 32
_HEADERS_MOST = 64


def check_cors(
    path: list[PathStep], cors: http_route.Cors | virtual_service.Cors, origins: Sequence[object], checks: Checks
) -> None:
    """Report what the proxy does not take. `origins`: all that are allowed, in whatever form."""
    if not origins:
        checks.error([*path, "allowOrigins"], "no origin is allowed", "for example https://shop.example")
    checks.at_most([*path, "allowOrigins"], origins, _ORIGINS_MOST)
    patterns = [each for each in origins if isinstance(each, StringMatch) and each.exact is None]
    if len(patterns) > _PATTERNS_MOST:
        checks.error([*path, "allowOrigins"], f"more than {_PATTERNS_MOST} by prefix or regex", "write one regex")
    checks.at_most([*path, "allowMethods"], cors.allow_methods, _METHODS_MOST)
    checks.at_most([*path, "allowHeaders"], cors.allow_headers, _HEADERS_MOST)
    checks.at_most([*path, "exposeHeaders"], cors.expose_headers, _HEADERS_MOST)
    if cors.allow_credentials is True and "*" in cors.expose_headers:
        at = [*path, "exposeHeaders", cors.expose_headers.index("*")]
        checks.error(at, "with allowCredentials a browser takes * for a name", "name the headers")


def check_origin(path: list[PathStep], origin: StringMatch, checks: Checks) -> None:
    """Report an origin of a VirtualService that is none."""
    if origin.exact is not None and not _ORIGIN.fullmatch(origin.exact):
        checks.error([*path, "exact"], f"{quoted(origin.exact)} is no origin", "for example https://shop.example")
    if origin.prefix is not None and len(origin.prefix) > _PREFIX_CHARACTERS:
        checks.error([*path, "prefix"], f"more than {_PREFIX_CHARACTERS} characters", "for example https://shop.")
