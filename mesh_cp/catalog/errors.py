"""Why a change of the catalog is refused. Nothing of it was done."""

from __future__ import annotations

from collections.abc import Sequence

from mesh_cp.resources import Key

_SHOWN = 10


class CatalogError(Exception):
    """Any of them."""


class MissingError(CatalogError):
    """Resources that are not there."""

    def __init__(self, keys: Sequence[Key]) -> None:
        super().__init__(f"not there: {_some(keys)}")


class ConflictError(CatalogError):
    """Resources that others have changed since the version that a document says it was made from."""

    def __init__(self, keys: Sequence[Key]) -> None:
        super().__init__(f"changed by others meanwhile: {_some(keys)}")


class BusyError(CatalogError):
    """Other changes came first, again and again."""


class HistoryError(CatalogError):
    """A change that there was never, or that history no longer has."""


class SizeError(CatalogError):
    """More in one change, or in one document, than is allowed."""


def _some(keys: Sequence[Key]) -> str:
    more = f" and {len(keys) - _SHOWN} more" if len(keys) > _SHOWN else ""
    return ", ".join(str(key) for key in keys[:_SHOWN]) + more
