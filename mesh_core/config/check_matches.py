"""What must hold within a match of a header, a query parameter or a path."""

from __future__ import annotations

from typing import Any

from msgspec import Struct

from mesh_core.config.faults import PathStep, Report
from mesh_core.config.regex import RegexError, compile_regex
from mesh_core.config.schema import HeaderMatch
from mesh_core.config.wording import listed, quoted


def check_match(path: list[PathStep], match: Any, report: Report) -> bool:
    """Report the faults of a match of a header or a query parameter; return whether it can be compared with others."""
    ways = tuple(name for name in ("exact", "prefix", "regex", "present") if name in match.__struct_fields__)
    sound = check_only_one(path, match, ways, report) and isinstance(match.name, str)
    if isinstance(match, HeaderMatch) and isinstance(match.name, str) and match.name.lower() == "host":
        report([*path, "name"], "the host is matched by virtual hosts", "write hosts: of a virtual host")
    return sound


def check_only_one(path: list[PathStep], match: Struct, ways: tuple[str, ...], report: Report) -> bool:
    """Report it unless exactly one of the fields `ways` is given; return whether that has a value of its type."""
    given = [name for name in ways if getattr(match, name) is not None]
    if not given:
        report(path, "nothing to compare with", f"add one of {', '.join(ways)}")
    for name in given[1:]:
        report([*path, name], f"there is {given[0]} already", f"keep one of {listed(given)}")
    if "regex" in given:
        check_regex([*path, "regex"], getattr(match, "regex", None), report)
    return len(given) == 1 and isinstance(getattr(match, given[0]), str | bool)


def check_regex(path: list[PathStep], pattern: object, report: Report) -> None:
    """Report what is wrong with a regular expression."""
    if isinstance(pattern, str):
        try:
            compile_regex(pattern)
        except RegexError as error:
            report(path, f"{quoted(pattern)}: {error.message}", "docs/routing.md tells what may stand there")
