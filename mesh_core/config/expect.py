"""What a field wants and what stands there instead, in words: used once something is known to be wrong."""

from __future__ import annotations

import json
import re

from msgspec import inspect

from mesh_core.config.field import Field
from mesh_core.config.node import Mapping, Node, Scalar, Sequence
from mesh_core.config.schema.common import LARGEST
from mesh_core.config.wording import SHOWN_CHARACTERS, listed, meant, quoted, suggestion

_DURATION = re.compile(r"([0-9]{1,9}(?:\.[0-9]{1,6})?) ?(ms|s|sec|m|min|h|d)")
_UNIT_MS = {"ms": 1, "s": 1000, "sec": 1000, "m": 60_000, "min": 60_000, "h": 3_600_000, "d": 86_400_000}


def expected(field: Field, node: Node) -> str:  # noqa: PLR0911
    """What the field takes, for "expected …"."""
    kind = field.type
    if isinstance(kind, inspect.UnionType):
        return " or ".join(expected(member, node) for member in field.members)
    if isinstance(kind, inspect.StructType | inspect.DictType):
        return "a mapping"
    if isinstance(kind, inspect.ListType | inspect.VarTupleType):
        return "a list"
    if isinstance(kind, inspect.BoolType):
        return "true or false"
    if isinstance(kind, inspect.LiteralType):
        words = [str(value) for value in kind.values]
        return quoted(words[0]) if len(words) == 1 else f"one of {listed(words)}"
    if isinstance(kind, inspect.IntType | inspect.FloatType):
        noun = "an integer" if isinstance(kind, inspect.IntType) else "a number"
        return noun + _bounds(kind, node)
    return field.form or "a string"


def _bounds(kind: inspect.IntType | inspect.FloatType, node: Node) -> str:
    value = node.value if isinstance(node, Scalar) else None
    too_large = isinstance(value, int | float) and kind.le is not None and value > kind.le
    # The largest of all is no news to someone whose number is small.
    shown_le = None if kind.le == LARGEST and not too_large else kind.le
    if kind.ge is not None and shown_le is not None:
        return f" from {kind.ge} to {shown_le}"
    if kind.ge is not None:
        return f" >= {kind.ge}"
    return "" if shown_le is None else f" <= {shown_le}"


def found(node: Node, *, secret: bool) -> str:
    """What stands there, for "found …". A secret is told by its type only."""
    if isinstance(node, Mapping):
        return "a mapping"
    if isinstance(node, Sequence):
        return "a list"
    if not isinstance(node, Scalar):
        return "a value that cannot be read"
    if node.value is None:
        return node.text or "nothing"
    return "a value that is not shown here" if secret else _shown(node)


def _shown(node: Scalar) -> str:
    value = node.value
    if isinstance(value, str):
        unquoted = node.ambiguous is not None and len(value) <= SHOWN_CHARACTERS
        return f"{value}, which some YAML readers take for {node.ambiguous}" if unquoted else quoted(value)
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return _number(value, node.text)
    return "binary data" if isinstance(value, bytes | bytearray | memoryview) else f"a {type(value).__name__}"


def _number(value: int | float, text: str | None) -> str:
    if text is None:
        # Python refuses to write integers of thousands of digits.
        is_huge = isinstance(value, int) and abs(value) >= 10**SHOWN_CHARACTERS
        text = "a huge integer" if is_huge else repr(value)
    return text if len(text) <= SHOWN_CHARACTERS else text[:SHOWN_CHARACTERS] + "…"


def advice(field: Field, node: Node, *, secret: bool) -> str | None:
    """What to write instead, or None if the expectation says it all."""
    kind = field.type
    if isinstance(kind, inspect.StructType):
        return f"its keys are {', '.join(inner.encode_name for inner in kind.fields)}"
    if isinstance(kind, inspect.DictType | inspect.UnionType):
        return _example(field, "for example ")
    if isinstance(kind, inspect.ListType | inspect.VarTupleType):
        if isinstance(node, Mapping):
            return "put a dash before each item"
        is_empty = isinstance(node, Scalar) and node.value is None
        return "write [] for an empty list" if is_empty else _example(field, "for example ")
    if secret or not isinstance(node, Scalar):
        return _example(field, "for example ")
    return _scalar_advice(field, node)


def _scalar_advice(field: Field, node: Scalar) -> str | None:
    kind = field.type
    if isinstance(kind, inspect.LiteralType):
        return _literal_advice(kind, node)
    if isinstance(kind, inspect.BoolType):
        return _bool_advice(node)
    if isinstance(kind, inspect.IntType | inspect.FloatType):
        return _number_advice(field, node)
    if not isinstance(node.value, str) and node.text:
        return f"quote it: {quoted(node.text)}"
    return f"quote it: {quoted(str(node.value))}" if node.ambiguous else _example(field, "for example ")


def _literal_advice(kind: inspect.LiteralType, node: Scalar) -> str | None:
    words = [str(value) for value in kind.values]
    if not isinstance(node.value, str):
        return f"quote it: {quoted(node.text)}" if node.text in words else None
    near = suggestion(node.value, words)
    return None if near is None else meant(near)


def _bool_advice(node: Scalar) -> str | None:
    word = node.value.lower() if isinstance(node.value, str) else ""
    if word in ("true", "false"):
        return f"write it without quotes: {word}"
    if word in ("yes", "on", "no", "off"):
        return "write true" if word in ("yes", "on") else "write false"
    return None


def _number_advice(field: Field, node: Scalar) -> str | None:
    text = node.value if isinstance(node.value, str) else ""
    if node.ambiguous == "a number":
        return "write it in decimal digits alone, without a leading zero or underscores"
    if re.fullmatch(r"[0-9]{1,18}", text):
        return f"write it without quotes: {text}"
    if field.name.endswith("_ms"):
        duration = _DURATION.fullmatch(text)
        if duration is not None:
            milliseconds = round(float(duration[1]) * _UNIT_MS[duration[2]])
            return f"write milliseconds, for example {milliseconds}"
        return _example(field, "write milliseconds, for example ")
    return _example(field, "write bytes, for example " if field.name.endswith("_bytes") else "for example ")


def _example(field: Field, lead: str) -> str | None:
    return lead + json.dumps(field.examples[0]) if field.examples else None
