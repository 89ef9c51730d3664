"""Which edits make a change: pure functions of what there is and what is wanted."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from mesh_cp.catalog.errors import ConflictError, MissingError
from mesh_cp.catalog.records import Document, Edit, Item, same, without_version
from mesh_cp.resources import Key, Resource

Current = Mapping[Key, Item]


def to_apply(current: Current, resources: Iterable[Resource]) -> list[Edit]:
    """Edits after which all of `resources` are there as they are written. Raises ConflictError."""
    edits, conflicts = [], []
    for resource in resources:
        item = current.get(resource.key)
        document, version = without_version(resource.document)
        if item is not None and same(item.document, document):
            continue
        if version is not None and version != (0 if item is None else item.revision):
            conflicts.append(resource.key)
        before = None if item is None else item.document
        edits.append(Edit(resource.key, before, document, resource.source, resource.line))
    if conflicts:
        raise ConflictError(conflicts)
    return edits


def to_delete(current: Current, keys: Sequence[Key], *, missing_ok: bool) -> list[Edit]:
    """Edits after which none of `keys` is there. Raises MissingError."""
    missing = [key for key in keys if key not in current]
    if missing and not missing_ok:
        raise MissingError(missing)
    return [Edit(key, current[key].document, None) for key in dict.fromkeys(keys) if key in current]


def before_all(edits: Iterable[Edit]) -> dict[Key, Document | None]:
    """What there was before `edits`, oldest first, of each resource that they touch."""
    first: dict[Key, Document | None] = {}
    for edit in edits:
        first.setdefault(edit.key, edit.before)
    return first


def to_restore(current: Current, wanted: Mapping[Key, Document | None], source: str) -> list[Edit]:
    """Edits after which each of `wanted` is as it says: not there where it says None."""
    edits = []
    for key, after in wanted.items():
        item = current.get(key)
        before = None if item is None else item.document
        if not same(before, after):
            edits.append(Edit(key, before, after, source))
    return edits
