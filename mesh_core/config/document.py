"""YAML text to a node tree.

Built from the parser's events rather than from PyYAML's own node tree: half the time, tags and aliases are
seen as they were written, and depth and size are bounded while reading, without recursion.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any, NamedTuple, NoReturn

from mesh_core.config.faults import FaultList, PathStep
from mesh_core.config.node import (
    DEPTH_LIMIT,
    NODE_LIMIT,
    Broken,
    Entry,
    Mapping,
    Node,
    Position,
    Scalar,
    Sequence,
)
from mesh_core.config.plain_scalar import plain_scalar
from mesh_core.config.wording import path_text, quoted

ALIAS_LIMIT = 100
"""Uses of `*name` in one document."""

_STRING_TAGS = frozenset({"!", "tag:yaml.org,2002:str"})
_MAPPING_TAGS = frozenset({"!", "tag:yaml.org,2002:map"})
_SEQUENCE_TAGS = frozenset({"!", "tag:yaml.org,2002:seq"})
_TAG_HINT = "write the value without a tag"


class _StopError(Exception):
    """Raised, with its fault taken already, where reading on would be no use or too dear."""


class Document(NamedTuple):
    """One document of a text: its tree, or None when it holds nothing or cannot be read, and what is wrong with it."""

    root: Node | None
    faults: FaultList


def read_document(text: str, faults: FaultList, *, pure: bool = False) -> Node | None:
    """The tree of the one document in `text`, or None when there is none or it cannot be read to its end.

    Whatever is wrong goes to `faults`. `pure` takes PyYAML's parser in Python even where libyaml is there.
    """
    builder: _Builder | None = None
    try:
        for event, position in _events(text, faults, pure=pure):
            if type(event).__name__ == "DocumentStartEvent":
                if builder is not None:
                    builder.stop(position, "a second YAML document begins here", "keep one document in a file")
                builder = _Builder(faults, DEPTH_LIMIT)
            elif builder is not None:
                builder.take(event, position)
    except _StopError:
        return None
    root = builder.root if builder is not None else None
    if root is None and not faults:
        faults.add("", (1, 1), "the file holds no configuration", "the smallest one is `listeners: []`")
    return root


def read_documents(text: str, depth_limit: int = DEPTH_LIMIT) -> Iterator[Document]:
    """The documents in `text`, each with faults of its own; one that cannot be read does not keep others from it.

    All of them together have NODE_LIMIT values at most. Where the text is no YAML, that is the fault of a last
    document without a tree.
    """
    size = 0
    builder: _Builder | None = None
    faults: FaultList | None = None
    syntax = FaultList()
    for event, position in _events(text, syntax):
        name = type(event).__name__
        if name == "DocumentStartEvent":
            faults = FaultList()
            builder = _Builder(faults, depth_limit, size)
        elif name == "DocumentEndEvent" and faults is not None:
            yield Document(builder.root if builder is not None else None, faults)
            builder = faults = None
        elif builder is not None:
            try:
                builder.take(event, position)
            except _StopError:
                # What is left of the document is passed over.
                builder = None
            else:
                size = builder.size
    if faults is not None and faults:
        yield Document(None, faults)
    if syntax:
        yield Document(None, syntax)


def _events(text: str, faults: FaultList, *, pure: bool = False) -> Iterator[tuple[Any, Position]]:
    """What PyYAML's parser says, to the end of the text or to what is no YAML, which goes to `faults` and ends it."""
    # Loaded here so that a program that only uses the types does not pay for it.
    import yaml  # type: ignore[import-untyped,unused-ignore]  # noqa: PLC0415

    with_libyaml = not pure and hasattr(yaml, "CBaseLoader")
    loader = yaml.CBaseLoader if with_libyaml else yaml.BaseLoader
    try:
        events: Iterable[Any] = yaml.parse(text, Loader=loader)
        for event in events:
            yield event, (event.start_mark.line + 1, event.start_mark.column + 1)
    except yaml.MarkedYAMLError as error:
        _take_syntax_error(error, text, faults)
    except yaml.YAMLError as error:
        faults.add("", (1, 1), f"not valid YAML: {str(error)[:200]}")


def _take_syntax_error(error: Any, text: str, faults: FaultList) -> None:
    mark = error.problem_mark or error.context_mark
    position = (mark.line + 1, mark.column + 1) if mark else (1, 1)
    context = ""
    if error.context:
        begun = error.context_mark and (error.context_mark.line + 1, error.context_mark.column + 1)
        since = f" from line {begun[0]}, column {begun[1]}" if begun and begun != position else ""
        context = f" ({error.context}{since})"
    lines = text.split("\n")
    line = lines[min(position[0], len(lines)) - 1]
    indent = line[: len(line) - len(line.lstrip())]
    hint = "indent with spaces: YAML allows no tabs there" if "\t" in indent else None
    faults.add("", position, f"not valid YAML: {error.problem or 'cannot be parsed'}{context}", hint)


class _Frame:
    """A list or mapping that is being read."""

    __slots__ = (
        "anchor",
        "is_broken",
        "key",
        "key_position",
        "node",
        "seen",
        "size_before",
        "waits_for_value",
    )

    def __init__(self, node: Sequence | Mapping, anchor: str | None, size_before: int) -> None:
        self.node = node
        self.anchor = anchor
        self.size_before = size_before
        self.is_broken = False
        self.seen: dict[str, Position] = {}
        # Of a mapping: the key whose value comes next; None there means that the value is to be dropped.
        self.waits_for_value = False
        self.key: str | None = None
        self.key_position: Position | None = None


class _Builder:
    """Puts the events of one document together."""

    def __init__(self, faults: FaultList, depth_limit: int, size: int = 0) -> None:
        self.root: Node | None = None
        self.size = size
        self._faults = faults
        self._depth_limit = depth_limit
        self._stack: list[_Frame] = []
        self._anchors: dict[str, tuple[Node, int]] = {}
        self._aliases = 0
        self._handlers: dict[str, Callable[[Any, Position], None]] = {
            "ScalarEvent": self._scalar,
            "MappingStartEvent": self._mapping_start,
            "SequenceStartEvent": self._sequence_start,
            "MappingEndEvent": self._collection_end,
            "SequenceEndEvent": self._collection_end,
            "AliasEvent": self._alias,
        }

    def take(self, event: Any, position: Position) -> None:
        """Take one event. Raises _StopError."""
        handler = self._handlers.get(type(event).__name__)
        if handler is not None:
            handler(event, position)

    def _scalar(self, event: Any, position: Position) -> None:
        self._grow(1, position)
        node: Node
        if event.tag is not None:
            node = Scalar(event.value, position)
            if event.tag not in _STRING_TAGS:
                node = self._unknown_tag(event, position)
        elif event.implicit[0]:
            node = plain_scalar(event.value, position)
        else:
            node = Scalar(event.value, position)
        self._done(node, event.anchor, 1)

    def _mapping_start(self, event: Any, position: Position) -> None:
        self._start(Mapping([], position), event, position, _MAPPING_TAGS)

    def _sequence_start(self, event: Any, position: Position) -> None:
        self._start(Sequence([], position), event, position, _SEQUENCE_TAGS)

    def _start(self, node: Mapping | Sequence, event: Any, position: Position, tags: frozenset[str]) -> None:
        is_broken = event.tag is not None and event.tag not in tags
        if is_broken:
            self._unknown_tag(event, position)
        if len(self._stack) >= self._depth_limit:
            self.stop(position, f"nested more than {self._depth_limit} deep")
        self._grow(1, position)
        self._stack.append(_Frame(node, event.anchor, self.size - 1))
        self._stack[-1].is_broken = is_broken

    def _collection_end(self, event: Any, position: Position) -> None:
        frame = self._stack.pop()
        node = Broken(frame.node.position) if frame.is_broken else frame.node
        self._done(node, frame.anchor, self.size - frame.size_before)

    def _alias(self, event: Any, position: Position) -> None:
        self._aliases += 1
        if self._aliases > ALIAS_LIMIT:
            self.stop(position, f"more than {ALIAS_LIMIT} aliases", "write the values out")
        known = self._anchors.get(event.anchor)
        if known is None:
            self._fault(position, f"no anchor {quoted('&' + event.anchor)} ends before this alias")
            known = (Broken(position), 1)
        node, size = known
        self._grow(size, position)
        self._done(node, None, size)

    def _done(self, node: Node, anchor: str | None, size: int) -> None:
        """Put a finished node where it belongs."""
        if anchor is not None:
            self._anchors[anchor] = (node, size)
        if not self._stack:
            self.root = node
            return
        frame = self._stack[-1]
        if isinstance(frame.node, Sequence):
            frame.node.items.append(node)
        elif not frame.waits_for_value:
            self._take_key(frame, node)
            frame.waits_for_value = True
        else:
            if frame.key is not None:
                frame.node.entries.append(Entry(frame.key, frame.key_position, node))
            frame.key = None
            frame.waits_for_value = False

    def _take_key(self, frame: _Frame, node: Node) -> None:
        """Make `node` the key of the value that comes next, or take a fault and have that value dropped."""
        position = node.position or (1, 1)
        if isinstance(node, Broken):
            return
        if not isinstance(node, Scalar) or not isinstance(node.value, str) or node.ambiguous:
            hint = f"quote it: {quoted(node.text)}" if isinstance(node, Scalar) and node.text else None
            self._fault(position, "a key must be a string", hint)
        elif node.value == "<<" and node.text is not None:
            self._fault(position, "merge keys (<<) are not supported", "write the values out")
        elif node.value in frame.seen:
            first = frame.seen[node.value]
            path = path_text([*self._path(), node.value])
            self._faults.add(path, position, f"the key was given in line {first[0]} already", "remove one")
        else:
            frame.seen[node.value] = position
            frame.key = node.value
            frame.key_position = position

    def _grow(self, count: int, position: Position) -> None:
        self.size += count
        if self.size > NODE_LIMIT:
            self.stop(position, f"more than {NODE_LIMIT} values")

    def _unknown_tag(self, event: Any, position: Position) -> Broken:
        self._fault(position, f"the tag {quoted(event.tag)} is not supported", _TAG_HINT)
        return Broken(position)

    def _path(self) -> list[PathStep]:
        path: list[PathStep] = []
        for frame in self._stack:
            if isinstance(frame.node, Sequence):
                path.append(len(frame.node.items))
            elif frame.key is not None:
                path.append(frame.key)
        return path

    def _fault(self, position: Position, message: str, hint: str | None = None) -> None:
        self._faults.add(path_text(self._path()), position, message, hint)

    def stop(self, position: Position, message: str, hint: str | None = None) -> NoReturn:
        """Take a fault and raise _StopError."""
        self._fault(position, message, hint)
        raise _StopError
