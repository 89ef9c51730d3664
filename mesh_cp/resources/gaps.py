"""Fields that other projects know and that have no effect here: named one by one, so that none is dropped in silence.

A type of a spec has a table of them, `gaps`, from the field's name to a `Gap`. They are taken out of a manifest before
it is decoded, each with a fault; the decoder names what is in neither.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import NamedTuple

from msgspec import Struct, inspect

from mesh_core.config.faults import PathStep
from mesh_core.config.node import Entry, Mapping, Node, Scalar, Sequence
from mesh_cp.resources.resource import Weight


class Gap(NamedTuple):
    """What is not supported: how much that matters, and what it means for whoever wrote it."""

    weight: Weight
    message: str


def error(message: str) -> Gap:
    """A field without which the resource would do something else than it says."""
    return Gap("error", message)


def warning(message: str) -> Gap:
    """A field without which the resource does less, and nothing wrong."""
    return Gap("warning", message)


Gaps = dict[str, Gap]
_Take = Callable[[list[PathStep], Gap], None]


def without_gaps(node: Node, of: type[Struct], take: _Take, path: list[PathStep]) -> Node:
    """`node`, which describes an `of`, without what is not supported and without nulls; `take` is told of the former.

    A null stands for a field that is not given, as for Kubernetes.
    """
    return _Walk(take, path).node(node, _struct(of))


class _Struct(NamedTuple):
    gaps: Gaps
    fields: dict[str, inspect.Type]


@cache
def _struct(of: type[Struct]) -> inspect.StructType:
    described = inspect.type_info(of)
    assert isinstance(described, inspect.StructType)
    return described


def known_fields(of: type[Struct]) -> dict[str, inspect.Type]:
    """The fields of a type that are read, by the names that manifests have for them."""
    return {field.encode_name: field.type for field in _struct(of).fields}


@cache
def _known(of: type[Struct]) -> _Struct:
    gaps: Gaps = getattr(of, "gaps", {})
    return _Struct(gaps, known_fields(of))


def _plain(declared: inspect.Type) -> inspect.Type:
    """The type itself, out of its annotations and out of `X | None`."""
    while True:
        if isinstance(declared, inspect.Metadata):
            declared = declared.type
        elif isinstance(declared, inspect.UnionType):
            members = [member for member in declared.types if not isinstance(member, inspect.NoneType)]
            if len(members) > 1:
                return declared
            declared = members[0]
        else:
            return declared


class _Walk:
    def __init__(self, take: _Take, path: list[PathStep]) -> None:
        self._take = take
        self._path = path

    def node(self, node: Node, declared: inspect.Type) -> Node:
        kind = _plain(declared)
        if isinstance(node, Mapping) and isinstance(kind, inspect.StructType):
            known = _known(kind.cls)
            return Mapping(
                [
                    each
                    for entry in node.entries
                    if (each := self._entry(entry, known.gaps.get(entry.key), known.fields.get(entry.key))) is not None
                ],
                node.position,
            )
        if isinstance(node, Mapping) and isinstance(kind, inspect.DictType):
            entries = [self._entry(entry, None, kind.value_type) for entry in node.entries]
            return Mapping([entry for entry in entries if entry is not None], node.position)
        if isinstance(node, Sequence) and isinstance(kind, inspect.VarTupleType | inspect.ListType):
            return Sequence([self._item(i, item, kind.item_type) for i, item in enumerate(node.items)], node.position)
        return node

    def _entry(self, entry: Entry, gap: Gap | None, declared: inspect.Type | None) -> Entry | None:
        if isinstance(entry.value, Scalar) and entry.value.value is None:
            return None
        self._path.append(entry.key)
        try:
            if gap is not None:
                self._take(self._path, gap)
                return None
            if declared is None:
                return entry
            return Entry(entry.key, entry.position, self.node(entry.value, declared))
        finally:
            self._path.pop()

    def _item(self, index: int, item: Node, declared: inspect.Type) -> Node:
        self._path.append(index)
        try:
            return self.node(item, declared)
        finally:
            self._path.pop()
