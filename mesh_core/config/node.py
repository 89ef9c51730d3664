"""The tree that a configuration is before it is decoded: one form for YAML text and for decoded messages.

Every node knows its position (line and column, from 1), or None where there was no text. Nodes know nothing
of the schema.
"""

from __future__ import annotations

from collections.abc import Sequence as AnySequence

from msgspec import Struct

from mesh_core.config.faults import PathStep

Position = tuple[int, int]
"""Line and column, each counted from 1; the column in characters."""

DEPTH_LIMIT = 32
"""Lists and mappings within one another. The schema needs fewer than ten."""

NODE_LIMIT = 1_000_000
"""Values in one configuration, with what an alias stands for counted each time."""


class Scalar(Struct):
    """A value without parts. `text` is how it was written, when it was written as plain text.

    `ambiguous` says how other YAML readers take a plain text that this one refuses to guess about ("a
    boolean" for `on`); `value` is then the text itself.
    """

    value: object
    position: Position | None = None
    text: str | None = None
    ambiguous: str | None = None


class Sequence(Struct):
    """A list."""

    items: list[Node]
    position: Position | None = None


class Entry(Struct):
    """One key of a mapping, with its value. Keys are unique within their mapping."""

    key: str
    position: Position | None
    value: Node


class Mapping(Struct):
    """A mapping from strings, in the order in which it was written."""

    entries: list[Entry]
    position: Position | None = None


class Broken(Struct):
    """Stands where a fault has been reported already, so that nothing more is said about the value."""

    position: Position | None = None


Node = Scalar | Sequence | Mapping | Broken


def locate(root: Node, path: AnySequence[PathStep]) -> Position | None:
    """The position of the value at `path`, or of the nearest value around it that was written."""
    node = root
    for step in path:
        below = _child(node, step)
        if below is None:
            break
        node = below
    return node.position


def _child(node: Node, step: PathStep) -> Node | None:
    if isinstance(node, Mapping):
        return next((entry.value for entry in node.entries if entry.key == step), None)
    if isinstance(node, Sequence) and isinstance(step, int) and step < len(node.items):
        return node.items[step]
    return None
