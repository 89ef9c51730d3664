"""A node tree to a `Config`, with every fault of shape taken rather than only the first.

msgspec stops at the first fault and knows no lines, so its type descriptions are walked here instead. What is
wrong is filled with `INVALID`, so that the checks that relate fields to one another still see the rest; such
a configuration never leaves the loader.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import cache
from typing import Any, Final

from msgspec import Struct, inspect

from mesh_core.config.expect import advice, expected, found
from mesh_core.config.faults import FaultList, Hint, PathStep
from mesh_core.config.field import Field
from mesh_core.config.node import Broken, Entry, Mapping, Node, Position, Scalar, Sequence
from mesh_core.config.wording import is_secret, meant, path_text, suggestion


class _Invalid:
    """The type of `INVALID`."""

    def __repr__(self) -> str:
        return "INVALID"


INVALID: Final = _Invalid()
"""Stands for a value that had a fault."""


def decode(root: Node, of: type[Struct], faults: FaultList) -> Any:
    """What `root` describes, as a Struct of type `of`; `INVALID` where it is wrong, the fault in `faults`."""
    return _Decoder(faults).value(root, _described(of))


@cache
def _described(of: type[Struct]) -> Field:
    return Field("", inspect.type_info(of))


@cache
def _fields(of: type[Struct]) -> dict[str, tuple[str, bool, Field]]:
    """Of each key: the attribute it sets, whether it is required, what it takes."""
    described = inspect.type_info(of)
    assert isinstance(described, inspect.StructType)
    return {
        field.encode_name: (field.name, field.required, Field(field.encode_name, field.type))
        for field in described.fields
    }


class _Decoder:
    def __init__(self, faults: FaultList) -> None:
        self._faults = faults
        self._path: list[PathStep] = []
        self._by_type: dict[type[inspect.Type], Callable[[Node, Field], Any]] = {
            inspect.StructType: self._struct,
            inspect.ListType: self._list,
            inspect.VarTupleType: self._list,
            inspect.DictType: self._map,
            inspect.UnionType: self._union,
            inspect.StrType: self._string,
            inspect.BoolType: self._bool,
            inspect.IntType: self._number,
            inspect.FloatType: self._number,
            inspect.LiteralType: self._literal,
        }

    def value(self, node: Node, field: Field) -> Any:
        if isinstance(node, Broken):
            return INVALID
        if field.nullable and isinstance(node, Scalar) and node.value is None:
            return None
        return self._by_type[type(field.type)](node, field)

    def _struct(self, node: Node, field: Field) -> Any:
        if not isinstance(node, Mapping):
            return self._mismatch(node, field)
        assert isinstance(field.type, inspect.StructType)
        fields = _fields(field.type.cls)
        values: dict[str, Any] = {}
        misspelt: set[str] = set()
        for entry in node.entries:
            known = fields.get(entry.key)
            self._path.append(entry.key)
            if known is None:
                unset = [key for key, (attribute, _, _) in fields.items() if attribute not in values]
                self._unknown(entry, unset, misspelt)
            else:
                attribute, _, inner = known
                values[attribute] = self.value(entry.value, inner)
            self._path.pop()
        for key, (attribute, required, inner) in fields.items():
            if attribute in values:
                continue
            if key in misspelt:
                # One slip is one fault, and the unknown key has been named already.
                values[attribute] = INVALID
            elif required:
                values[attribute] = INVALID
                self._missing(node, key, inner)
        return field.type.cls(**values)

    def _unknown(self, entry: Entry, keys: list[str], misspelt: set[str]) -> None:
        """Take the fault of an unknown key, and put the key that was meant, if any, into `misspelt`."""
        near = None if self._faults.is_full else suggestion(entry.key, keys)
        hint = f"known keys: {', '.join(keys)}" if keys else "it has all its keys already"
        if near is not None:
            misspelt.add(near)
            hint = meant(near)
        self._fault(entry.position, "unknown key", hint)

    def _missing(self, node: Mapping, key: str, inner: Field) -> None:
        self._path.append(key)
        self._fault(node.position, "missing", f"add {key}: {_sample(inner)}")
        self._path.pop()

    def _list(self, node: Node, field: Field) -> Any:
        if not isinstance(node, Sequence):
            return self._mismatch(node, field)
        assert field.item is not None
        values = []
        for index, item in enumerate(node.items):
            self._path.append(index)
            values.append(self.value(item, field.item))
            self._path.pop()
        return values if isinstance(field.type, inspect.ListType) else tuple(values)

    def _map(self, node: Node, field: Field) -> Any:
        if not isinstance(node, Mapping):
            return self._mismatch(node, field)
        assert field.key is not None and field.item is not None
        values = {}
        for entry in node.entries:
            self._path.append(entry.key)
            key = self.value(Scalar(entry.key, entry.position), field.key)
            values[key] = self.value(entry.value, field.item)
            self._path.pop()
        return values

    def _union(self, node: Node, field: Field) -> Any:
        """The member that has the form of what is there: of each form (mapping, number, text), a union has one."""
        forms: tuple[type[inspect.Type], ...] = ()
        if isinstance(node, Mapping):
            forms = (inspect.StructType,)
        elif isinstance(node, Scalar) and node.value is not None:
            is_number = isinstance(node.value, int | float) and not isinstance(node.value, bool)
            forms = (inspect.IntType, inspect.StrType) if is_number else (inspect.StrType,)
        for form in forms:
            for member in field.members:
                if isinstance(member.type, form):
                    return self.value(node, member)
        return self._mismatch(node, field)

    def _string(self, node: Node, field: Field) -> Any:
        assert isinstance(field.type, inspect.StrType)
        if not isinstance(node, Scalar) or not isinstance(node.value, str) or node.ambiguous is not None:
            return self._mismatch(node, field, "a string")
        text = node.value
        shortest, longest, pattern = field.type.min_length, field.type.max_length, field.type.pattern
        if (
            (shortest is not None and len(text) < shortest)
            or (longest is not None and len(text) > longest)
            or (pattern is not None and not re.fullmatch(pattern, text))
        ):
            return self._mismatch(node, field)
        # Neither can be part of a path, an address or a name, nor be passed on as UTF-8.
        if "\0" in text or any("\ud800" <= character <= "\udfff" for character in text):
            shown = found(node, secret=is_secret(self._path))
            self._fault(node.position, f"expected text without NUL characters or surrogates, found {shown}")
            return INVALID
        return text

    def _bool(self, node: Node, field: Field) -> Any:
        if not isinstance(node, Scalar) or not isinstance(node.value, bool):
            return self._mismatch(node, field)
        return node.value

    def _number(self, node: Node, field: Field) -> Any:
        kind = field.type
        assert isinstance(kind, inspect.IntType | inspect.FloatType)
        allowed = int if isinstance(kind, inspect.IntType) else int | float
        value = node.value if isinstance(node, Scalar) else None
        if isinstance(value, bool) or not isinstance(value, allowed):
            return self._mismatch(node, field)
        assert isinstance(value, int | float)
        # Written so that a NaN is out of bounds.
        if (kind.ge is not None and not value >= kind.ge) or (kind.le is not None and not value <= kind.le):
            return self._mismatch(node, field)
        return value if isinstance(kind, inspect.IntType) else float(value)

    def _literal(self, node: Node, field: Field) -> Any:
        assert isinstance(field.type, inspect.LiteralType)
        value = node.value if isinstance(node, Scalar) else None
        if isinstance(value, str) and value in field.type.values:
            return value
        return self._mismatch(node, field)

    def _mismatch(self, node: Node, field: Field, wanted: str | None = None) -> _Invalid:
        secret = is_secret(self._path)
        message = f"expected {wanted or expected(field, node)}, found {found(node, secret=secret)}"
        self._fault(node.position, message, lambda: advice(field, node, secret=secret))
        return INVALID

    def _fault(self, position: Position | None, message: str, hint: Hint = None) -> None:
        self._faults.add(path_text(self._path), position, message, hint)


def _sample(field: Field) -> str:
    """A value for a hint, as YAML takes it on one line."""
    if not field.examples:
        return "…"
    example = field.examples[0]
    return f"[{', '.join(example)}]" if isinstance(example, list) else str(example)
