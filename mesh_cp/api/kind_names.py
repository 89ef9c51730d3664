"""The names that operators use for kinds: as they are, in any case, in the plural, and kubectl's short ones."""

from __future__ import annotations

from mesh_core.config.wording import meant, quoted, suggestion
from mesh_cp.resources import KIND_NAMES

_SHORT = {
    "DestinationRule": "dr",
    "Service": "svc",
    "ServiceEntry": "se",
    "VirtualService": "vs",
    "WorkloadEntry": "we",
}


class KindError(ValueError):
    """No kind has that name."""


def kind_named(name: str) -> str:
    """The kind that is meant. Raises KindError, with what might have been."""
    found = _NAMES.get(name.lower())
    if found is None:
        raise KindError(f"no kind {quoted(name)}: {_hint(name.lower())}")
    return found


def _hint(name: str) -> str:
    near = suggestion(name, _NAMES)
    return f"the kinds are {', '.join(KIND_NAMES)}" if near is None else meant(near)


def _plural(kind: str) -> str:
    return kind[:-1] + "ies" if kind.endswith("y") else kind + "s"


_NAMES = {
    name.lower(): kind for kind in KIND_NAMES for name in (kind, _plural(kind), _SHORT.get(kind, kind))
}
