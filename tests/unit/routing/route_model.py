"""The rules of routing, asked of every match: slow, and plain to see."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote_to_bytes

from mesh_core.config import Listener
from mesh_core.config.schema import HeaderMatch, PathMatch, QueryParameterMatch, Route, RouteMatch, VirtualHost


@dataclass(frozen=True)
class Asked:
    """A request. Headers: name, value, whether it is passed on."""

    authority: bytes = b"shop.example"
    path: bytes = b"/"
    method: bytes = b"GET"
    headers: tuple[tuple[bytes, bytes, bool], ...] = ()
    query: bytes | None = None
    secure: bool = False


def choose(listener: Listener, asked: Asked) -> tuple[str, str, str] | None:
    """The virtual host, the route and the prefix that matched."""
    host = _virtual_host(listener.virtual_hosts or (), asked)
    if host is None:
        return None
    found = [
        ((place,) if host.route_order == "listed" else _precedence(match, place), route, match)
        for place, (route, match) in enumerate(
            (route, match) for route in host.routes for match in route.matches or (RouteMatch(),)
        )
        if _fits(match, asked)
    ]
    if not found:
        return None
    _, route, match = min(found, key=lambda each: each[0])
    prefix = (match.path.prefix or "") if match.path else ""
    return host.name, route.name or "", prefix.rstrip("/")


def _virtual_host(hosts: tuple[VirtualHost, ...], asked: Asked) -> VirtualHost | None:
    text = asked.authority.decode().lower()
    host, port = text, 443 if asked.secure else 80
    found = re.fullmatch(r"(.*):([0-9]*)", text)
    if found:
        host, port = found[1], int(found[2] or port)
    host = host.removesuffix(".")
    best: tuple[tuple[int, int, bool], VirtualHost] | None = None
    for each in hosts:
        for pattern in each.hosts:
            name, wanted = re.fullmatch(r"(.*?)(?::([0-9]+))?", pattern.lower()).groups()  # type: ignore[union-attr]
            name = name.removesuffix(".")
            if name == "*":
                kind = 0
            elif name.startswith("*."):
                kind = 1 if host.endswith(name[1:]) and len(host) > len(name) - 1 else -1
            else:
                kind = 2 if host == name else -1
            if kind >= 0 and wanted in (None, str(port)):
                rank = (kind, len(name), wanted is not None)
                if best is None or rank > best[0]:
                    best = (rank, each)
    return best[1] if best else None


def _precedence(match: RouteMatch, place: int) -> tuple[Any, ...]:
    path = match.path or PathMatch(prefix="/")
    kind = 0 if path.exact is not None else 1 if path.regex is not None else 2
    longest = len((path.prefix or "").rstrip("/"))
    return kind, -longest, match.method is None, -len(match.headers), -len(match.query_parameters), place


def _fits(match: RouteMatch, asked: Asked) -> bool:
    return (
        _path_fits(match.path or PathMatch(prefix="/"), asked.path.decode() or "/")
        and match.method in (None, asked.method.decode())
        and all(_header_fits(each, asked) for each in match.headers)
        and all(_parameter_fits(each, asked) for each in match.query_parameters)
    )


def _path_fits(match: PathMatch, path: str) -> bool:
    if match.exact is not None:
        return path == match.exact
    if match.regex is not None:
        return re.fullmatch(match.regex, path) is not None
    prefix = (match.prefix or "").rstrip("/")
    return prefix in ("", path) or path.startswith(prefix + "/")


def _header_fits(match: HeaderMatch, asked: Asked) -> bool:
    name = match.name.lower().encode()
    values = [
        value for each, value, passed in asked.headers if each.lower() == name and (passed or name == b"upgrade")
    ]
    joined = (b"; " if name == b"cookie" else b",").join(values)
    return _value_fits(match, joined if values else None) != match.invert


def _parameter_fits(match: QueryParameterMatch, asked: Asked) -> bool:
    for piece in (asked.query or b"").split(b"&"):
        name, _, value = piece.partition(b"=")
        if piece and unquote_to_bytes(name.replace(b"+", b" ")) == match.name.encode():
            return _value_fits(match, unquote_to_bytes(value.replace(b"+", b" ")))
    return _value_fits(match, None)


def _value_fits(match: HeaderMatch | QueryParameterMatch, value: bytes | None) -> bool:
    if match.present is not None:
        return match.present == (value is not None)
    if value is None:
        return False
    if match.exact is not None:
        return value == match.exact.encode()
    if match.regex is not None:
        return re.fullmatch(match.regex.encode(), value) is not None
    assert isinstance(match, HeaderMatch) and match.prefix is not None
    return value.startswith(match.prefix.encode())


def listener(*hosts: VirtualHost) -> Listener:
    """One with these virtual hosts."""
    return Listener(name="in", address="127.0.0.1:0", protocol="http", virtual_hosts=hosts)


def with_routes(*routes: Route) -> Listener:
    """One with these routes, for every host."""
    return listener(VirtualHost(name="all", hosts=("*",), routes=routes))
