"""How values, keys and paths from an untrusted configuration are shown in messages.

Everything shown is on one line, bounded, and free of control characters; what stands under a key that names
a secret is not shown at all.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Sequence
from itertools import islice

from mesh_core.config.escape import escaped
from mesh_core.config.faults import PathStep

SHOWN_CHARACTERS = 60

# Comparing words is dear: a file of many faults and many names must not keep the control thread for minutes.
_SUGGESTIONS_SOUGHT = 5000
_SUGGESTIONS_COMPARED = 500

_PLAIN_KEY = re.compile(r"[A-Za-z0-9_-]{1,60}")
_SECRET_KEY = re.compile(
    r"(^|[_.-])(key|keys|token|tokens|password|passphrase|secret|secrets|credential|credentials)($|[_.-])",
    re.IGNORECASE,
)
_NO_SECRETS = frozenset(("max_tokens", "tokens_per_fill", "allow_credentials"))


def quoted(text: str) -> str:
    """`text` in double quotes: escaped as JSON does, cut after `SHOWN_CHARACTERS`."""
    if len(text) <= SHOWN_CHARACTERS:
        return escaped(json.dumps(text, ensure_ascii=False))
    return escaped(json.dumps(text[:SHOWN_CHARACTERS], ensure_ascii=False)) + "…"


def listed(words: Iterable[str]) -> str:
    """`words`, each quoted, with commas between."""
    return ", ".join(quoted(word) for word in words)


def path_text(path: Sequence[PathStep]) -> str:
    """A field path as it is written in a fault: `listeners[0].cluster`, or `["odd key"]` for an odd key."""
    parts: list[str] = []
    for step in path:
        if isinstance(step, int):
            parts.append(f"[{step}]")
        elif _PLAIN_KEY.fullmatch(step):
            parts.append(f".{step}" if parts else step)
        else:
            parts.append(f"[{quoted(step)}]")
    return "".join(parts)


def is_secret(path: Sequence[PathStep]) -> bool:
    """Whether the value at `path` may be a secret, going by the keys that lead to it."""
    return any(
        isinstance(step, str) and _SECRET_KEY.search(step) is not None and step not in _NO_SECRETS for step in path
    )


def suggestion(word: str, known: Iterable[str]) -> str | None:
    """The member of `known` that `word` looks like a slip of, if there is one."""
    if len(word) > 128:
        return None
    near = (other for other in islice(known, _SUGGESTIONS_SOUGHT) if abs(len(other) - len(word)) <= 3)
    # Loaded here because only a faulty configuration needs it.
    from difflib import get_close_matches  # noqa: PLC0415

    close = get_close_matches(word, list(islice(near, _SUGGESTIONS_COMPARED)), n=1, cutoff=0.7)
    return close[0] if close else None


def meant(word: str) -> str:
    """The hint that `word` was meant."""
    return f"did you mean {quoted(word)}?"


def did_you_mean(word: str, known: Sequence[str], otherwise: str) -> str:
    """A hint for an unknown `word`: the near miss if there is one, else the (bounded) list of what is known.

    `otherwise` introduces that list, for example "known keys".
    """
    near = suggestion(word, known)
    if near is not None:
        return meant(near)
    if not known:
        return f"{otherwise}: none"
    rest = f" and {len(known) - 20} more" if len(known) > 20 else ""
    return f"{otherwise}: {listed(known[:20])}{rest}"
