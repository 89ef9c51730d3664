"""Decoded messages (what msgpack or JSON give: dict, list, str, int ...), and objects, to nodes without positions."""

from __future__ import annotations

from functools import cache
from typing import Any

from msgspec import NODEFAULT, Struct
from msgspec.structs import FieldInfo, fields

from mesh_core.config.faults import FaultList, PathStep
from mesh_core.config.node import DEPTH_LIMIT, NODE_LIMIT, Broken, Entry, Mapping, Node, Scalar, Sequence
from mesh_core.config.wording import path_text


def read_message(value: object, faults: FaultList) -> Node:
    """The tree of `value`, in which an object of the schema's types may stand for a mapping.

    Keys that are no strings, and what is beyond the bounds, go to `faults`.
    """
    return _Reader(faults).node(value)


def to_builtins(value: Any) -> Any:
    """What an object of the schema's types says beyond their defaults, in dict, list, str … as messages have it."""
    if isinstance(value, Struct):
        return {key: to_builtins(part) for key, part in _given(value).items()}
    if isinstance(value, dict):
        return {key: to_builtins(part) for key, part in value.items()}
    return [to_builtins(part) for part in value] if isinstance(value, list | tuple) else value


class _Reader:
    def __init__(self, faults: FaultList) -> None:
        self._faults = faults
        self._path: list[PathStep] = []
        self._size = 0

    def node(self, value: object) -> Node:
        self._size += 1
        if self._size > NODE_LIMIT:
            # Said once: every further value is over the bound too.
            if self._size == NODE_LIMIT + 1:
                self._fault(f"more than {NODE_LIMIT} values")
            return Broken()
        if not isinstance(value, dict | list | tuple | Struct):
            return Scalar(value)
        if len(self._path) >= DEPTH_LIMIT:
            self._fault(f"nested more than {DEPTH_LIMIT} deep")
            return Broken()
        if isinstance(value, list | tuple):
            return self._sequence(value)
        return self._mapping(value if isinstance(value, dict) else _given(value))

    def _mapping(self, value: dict[object, object]) -> Mapping:
        entries = []
        for key, below in value.items():
            if isinstance(key, str):
                self._path.append(key)
                entries.append(Entry(key, None, self.node(below)))
                self._path.pop()
            else:
                self._fault("a key must be a string")
        return Mapping(entries)

    def _sequence(self, value: list[object] | tuple[object, ...]) -> Sequence:
        items = []
        for index, below in enumerate(value):
            self._path.append(index)
            items.append(self.node(below))
            self._path.pop()
        return Sequence(items)

    def _fault(self, message: str) -> None:
        self._faults.add(path_text(self._path), None, message)


def _given(value: Struct) -> dict[object, object]:
    """What an object says beyond the defaults of its type, so that it is no larger than the text that says it."""
    given: dict[object, object] = {}
    for field in _fields(type(value)):
        part = getattr(value, field.name)
        if not _is_default(part, field):
            given[field.encode_name] = part
    return given


@cache
def _fields(of: type[Struct]) -> tuple[FieldInfo, ...]:
    return fields(of)


def _is_default(part: object, field: FieldInfo) -> bool:
    default = field.default if field.default_factory is NODEFAULT else field.default_factory()
    # True equals 1, and is no number.
    return type(part) is type(default) and part == default
