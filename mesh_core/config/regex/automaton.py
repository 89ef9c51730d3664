"""From the parts of a regular expression to a deterministic automaton over bytes.

Thompson's construction, then the sets of states that can be reached together, each once. Both are bounded: an
expression that needs more is refused.
"""

from __future__ import annotations

from array import array
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import Final

from mesh_core.config.regex.characters import Ranges, utf8_sequences
from mesh_core.config.regex.syntax import (
    Begin,
    Characters,
    Choice,
    End,
    Part,
    RegexError,
    Repeat,
    Sequence,
    literal_prefix,
    parse,
)

STATE_LIMIT: Final = 4096
_NODE_LIMIT: Final = 32768
_ENTRY_LIMIT: Final = 262_144
"""Entries of the table: 1 MiB."""
_WORK_LIMIT: Final = 2_000_000
"""Steps of the construction: about a second."""


@dataclass(frozen=True)
class Automaton:
    """Steps by bytes.

    Of each of the 256 bytes its class; for each state, `class_count` + 1 words: where each class leads, as the index
    of that state's first word, then whether a text may end here. The state at 0 is that from which nothing fits.
    """

    classes: bytes
    class_count: int
    table: array[int]
    start: int
    literal_prefix: str
    """What every text begins with that fits."""

    def fits(self, text: bytes) -> bool:
        """Whether the whole of `text` fits."""
        state = self.start
        for byte in text:
            state = self.table[state + self.classes[byte]]
        return bool(self.table[state + self.class_count])


@lru_cache(maxsize=1024)
def compile_regex(pattern: str) -> Automaton:
    """The automaton of `pattern`. Raises RegexError."""
    part = parse(pattern)
    nodes = _Nodes()
    start = nodes.before(part, nodes.end_node)
    return _States(nodes, start, literal_prefix(part)).build()


class _Nodes:
    """A graph: of each node, where one goes without a byte, with a byte of a range, at the begin and at the end."""

    def __init__(self) -> None:
        self.free: list[tuple[int, ...]] = []
        self.edges: dict[int, tuple[int, int, int]] = {}
        self.begins: set[int] = set()
        self.ends: set[int] = set()
        self.end_node = self._new()

    def _new(self, *free: int) -> int:
        if len(self.free) >= _NODE_LIMIT:
            raise RegexError("too large")
        self.free.append(free)
        return len(self.free) - 1

    def before(self, part: Part, after: int) -> int:
        """The node from which `part` leads to `after`."""
        match part:
            case Characters(ranges=ranges):
                return self._characters(ranges, after)
            case Sequence(parts=parts):
                for each in reversed(parts):
                    after = self.before(each, after)
                return after
            case Choice(parts=parts):
                return self._new(*[self.before(each, after) for each in parts])
            case Begin() | End():
                node = self._new(after)
                (self.begins if isinstance(part, Begin) else self.ends).add(node)
                return node
            case Repeat():
                return self._repeat(part, after)

    def _characters(self, ranges: Ranges, after: int) -> int:
        starts = []
        # Sequences of bytes that end in the same way share nodes.
        known: dict[tuple[int, int, int], int] = {}
        for first, last in ranges:
            for sequence in utf8_sequences(first, last):
                node = after
                for low, high in reversed(sequence):
                    edge = (low, high, node)
                    if edge not in known:
                        known[edge] = self._new()
                        self.edges[known[edge]] = edge
                    node = known[edge]
                starts.append(node)
        return starts[0] if len(starts) == 1 else self._new(*starts)

    def _repeat(self, part: Repeat, after: int) -> int:
        node = after
        if part.most is None:
            node = self._new()
            self.free[node] = (self.before(part.part, node), after)
        else:
            for _ in range(part.most - part.least):
                node = self._new(self.before(part.part, node), after)
        for _ in range(part.least):
            node = self.before(part.part, node)
        return node


class _States:
    """The sets of nodes, as states."""

    def __init__(self, nodes: _Nodes, start: int, prefix: str) -> None:
        self._nodes = nodes
        self._prefix = prefix
        self._work = 0
        self._kept = nodes.edges.keys() | nodes.ends | {nodes.end_node}
        self._reached = cache(lambda node: self._closure((node,), begin=False, end=False))
        self._first = self._closure((start,), begin=True, end=False)
        self._indexes: dict[frozenset[int], int] = {}
        self._sets: list[frozenset[int]] = []
        self._classes, self._representatives = _byte_classes(nodes)
        # Of each node with an edge: the classes that it goes with, and where to.
        self._steps = {
            node: (range(self._classes[low], self._classes[high] + 1), target)
            for node, (low, high, target) in nodes.edges.items()
        }

    def _closure(self, start: tuple[int, ...] | frozenset[int], *, begin: bool, end: bool) -> frozenset[int]:
        """Where one gets without a byte: the nodes that a byte or the end leads on from."""
        nodes = self._nodes
        seen, left = set(start), list(start)
        while left:
            node = left.pop()
            if (node in nodes.begins and not begin) or (node in nodes.ends and not end):
                continue
            for each in nodes.free[node]:
                if each not in seen:
                    seen.add(each)
                    left.append(each)
        self._count(len(seen))
        return frozenset(seen & self._kept)

    def _count(self, work: int) -> None:
        self._work += work
        if self._work > _WORK_LIMIT:
            raise RegexError("too complex")

    def build(self) -> Automaton:
        width = len(self._representatives) + 1
        # The first state is left by the first byte for good: only there is the text's begin.
        self._sets = [frozenset(), self._first]
        self._indexes = {frozenset(): 0}
        table = array("I")
        at = 0
        while at < len(self._sets):
            table.extend(width * each for each in self._after(self._sets[at]))
            table.append(self._may_end(self._sets[at], begin=at == 1))
            at += 1
            if len(self._sets) > STATE_LIMIT or len(self._sets) * width > _ENTRY_LIMIT:
                raise RegexError(f"too complex: more than {min(STATE_LIMIT, _ENTRY_LIMIT // width)} states")
        return Automaton(self._classes, width - 1, table, width, self._prefix)

    def _after(self, state: frozenset[int]) -> list[int]:
        """Of each class, the index of the state that it leads to."""
        targets: list[set[int]] = [set() for _ in self._representatives]
        for node in state:
            if node in self._steps:
                classes, target = self._steps[node]
                reached = self._reached(target)
                self._count(len(reached) * len(classes))
                for each in classes:
                    targets[each] |= reached
        return [self._index(frozenset(each)) for each in targets]

    def _index(self, state: frozenset[int]) -> int:
        if state not in self._indexes:
            self._indexes[state] = len(self._sets)
            self._sets.append(state)
        return self._indexes[state]

    def _may_end(self, state: frozenset[int], *, begin: bool) -> int:
        if self._nodes.end_node in state:
            return 1
        ends = state & self._nodes.ends
        return int(bool(ends) and self._nodes.end_node in self._closure(ends, begin=begin, end=True))


def _byte_classes(nodes: _Nodes) -> tuple[bytes, list[int]]:
    """Of each byte its class, in which no edge tells one from another; and one byte of each class."""
    cuts = {0, *(low for low, _, _ in nodes.edges.values()), *(high + 1 for _, high, _ in nodes.edges.values())}
    cuts.discard(256)
    first = sorted(cuts)
    classes = bytearray(256)
    for index, (low, high) in enumerate(zip(first, [*first[1:], 256], strict=True)):
        classes[low:high] = bytes([index]) * (high - low)
    return bytes(classes), first
