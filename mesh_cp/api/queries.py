"""The parameters of requests that only read."""

from __future__ import annotations

import re
from collections.abc import Mapping

from mesh_cp.api.refusals import RefusedError

Query = Mapping[str, str]


def only(query: Query, *known: str) -> None:
    """Refuse what is not known. Raises RefusedError."""
    for name in query:
        if name not in known:
            what = f"known are {', '.join(known)}" if known else "none is taken here"
            raise RefusedError(400, "bad_request", f"unknown parameter {name[:100]}: {what}")


def number(query: Query, name: str, otherwise: int) -> int:
    """A number from 0 on; `otherwise` where there is none. Raises RefusedError."""
    text = query.get(name)
    if text is None:
        return otherwise
    if not re.fullmatch(r"[0-9]{1,15}", text):
        raise RefusedError(400, "bad_request", f"{name}: no number: {text[:100]!r}")
    return int(text)
