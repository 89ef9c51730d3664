"""What must hold within changes of headers: which names there are, and how many."""

from __future__ import annotations

from collections.abc import Iterator

from mesh_core.config.faults import PathStep, Report
from mesh_core.config.schema import HeaderModifier
from mesh_core.config.wording import path_text, quoted

_MOST = 16
_FRAMING = frozenset(("content-length", "transfer-encoding", "trailer", "expect"))
# For one connection only (RFC 9110, section 7.6.1), or of a withdrawn way to HTTP/2 (RFC 9113, section 3.1).
_HOP_BY_HOP = frozenset(("connection", "keep-alive", "proxy-connection", "te", "upgrade", "http2-settings"))


def check_header_modifier(path: list[PathStep], modifier: object, report: Report) -> None:
    """Report everything in a HeaderModifier that cannot work; of another value, nothing."""
    if not isinstance(modifier, HeaderModifier):
        return
    first: dict[str, list[PathStep]] = {}
    named = False
    for at, name in _names(path, modifier):
        named = True
        if not isinstance(name, str):
            continue
        same = first.setdefault(name.lower(), at)
        if same is not at:
            report(at, f"{quoted(name)} stands in {path_text(same)} already", "name it once")
        _check_name(at, name.lower(), report)
    if not named and all(isinstance(part, dict | tuple) for part in (modifier.set, modifier.add, modifier.remove)):
        report(path, "changes nothing", "add set, add or remove, or leave it out")
    for key in ("set", "add", "remove"):
        part = getattr(modifier, key)
        if isinstance(part, dict | tuple) and len(part) > _MOST:
            report([*path, key], f"more than {_MOST} headers", "remove some")


def _names(path: list[PathStep], modifier: HeaderModifier) -> Iterator[tuple[list[PathStep], object]]:
    """All names, each with where it stands."""
    for key in ("set", "add"):
        part = getattr(modifier, key)
        for name in part if isinstance(part, dict) else ():
            yield [*path, key, name], name
    for place, name in enumerate(modifier.remove if isinstance(modifier.remove, tuple) else ()):
        yield [*path, "remove", place], name


def _check_name(path: list[PathStep], name: str, report: Report) -> None:
    if name == "host":
        report(path, "the host is no header to change", "write rewrite: {host: …}")
    elif name in _FRAMING:
        report(path, f"{quoted(name)} says how a message is framed", "remove it: the proxy writes it")
    elif name in _HOP_BY_HOP:
        report(path, f"{quoted(name)} is for one connection only", "remove it: the proxy writes it")
