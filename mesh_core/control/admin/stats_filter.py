"""The `filter` of /stats: regular expressions, but only those that are matched in linear time.

`re` backtracks. An expression of a few characters can keep it busy for years, with the GIL held, and the control
thread would hear no signal any more. Here is the part of the language in which that cannot be written: literals, `.`,
sets, `.*` and `.+`, `^`, `$`, and `|` at the top. (Envoy has RE2 for it.)
"""

from __future__ import annotations

import re
from collections.abc import Callable

# A longer filter is nobody's.
LIMIT = 200

_TOKEN = re.compile(
    r"""
    (?P<gap> \.[*+] )
    | (?P<or> \| )
    | \\[.\\^$|*+?(){}\[\]-]  # a character that would mean something else
    | \[\^?[A-Za-z0-9_.:/-]+\]  # a set
    | [^\\*+?(){}\[\]]  # a character, . ^ and $ among them
    """,
    re.VERBOSE,
)


class FilterError(ValueError):
    """A filter that is not understood; the text says why."""


def compile_filter(pattern: str) -> Callable[[str], bool]:
    """A function that tells whether a name contains what `pattern` describes. Raises FilterError."""
    if len(pattern) > LIMIT:
        raise FilterError(f"at most {LIMIT} characters")
    choices: list[list[str]] = [[""]]
    position = 0
    while position < len(pattern):
        token = _TOKEN.match(pattern, position)
        if token is None:
            raise FilterError(
                f"cannot read {pattern[position:]!r}: a filter is made of literals, . [set] .* .+ ^ $ and |"
            )
        if token["or"]:
            choices.append([""])
        elif token["gap"]:
            choices[-1][-1] += "." if token[0] == ".+" else ""
            choices[-1].append("")
        else:
            choices[-1][-1] += token[0]
        position = token.end()
    try:
        compiled = [[re.compile(part, re.ASCII) for part in parts] for parts in choices]
    except re.error as error:
        raise FilterError(f"not a regular expression: {error}") from None
    return lambda name: any(_contains(name, parts) for parts in compiled)


def _contains(name: str, parts: list[re.Pattern[str]]) -> bool:
    """Whether the parts occur one after the other.

    Each matches a fixed number of characters, so its leftmost place leaves the most room for the rest.
    """
    position = 0
    for part in parts:
        found = part.search(name, position)
        if found is None:
            return False
        position = found.end()
    return True
