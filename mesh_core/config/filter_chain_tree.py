"""The order in which filter chains are told apart, as a tree of steps.

Each step asks one thing of a connection and leaves the chains that name the answer, or else those that name nothing
there. Steps that leave the same chains are one, so lists in many fields do not multiply unless they do overlap.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass, field
from enum import IntEnum
from typing import Final

from mesh_core.config.network import parse_network
from mesh_core.config.schema.filter_chain import FilterChainMatch

ENTRY_LIMIT: Final = 262144
"""The most entries that the steps of one listener may have together; our choice: some 10 MB."""


class Level(IntEnum):
    """What a step asks, in Envoy's order; entries are numbers, networks or texts."""

    DESTINATION_PORT = 0
    DESTINATION_ADDRESS = 1
    SERVER_NAME = 2
    TRANSPORT = 3
    """1 for TLS, 0 for anything else."""
    APPLICATION_PROTOCOL = 4
    SOURCE_ADDRESS = 5
    CHAIN = 6
    """Nothing: one chain is left."""


class TooManyEntriesError(Exception):
    """The steps would have more than ENTRY_LIMIT entries."""


@dataclass
class Step:
    """A question; `chain` is the answer behind the last one. None where no chain is left."""

    level: Level
    entries: dict[Hashable, Step] = field(default_factory=dict)
    otherwise: Step | None = None
    chain: int | None = None


@dataclass
class Tree:
    """The first step, and every pair of chains (first, other) that nothing tells apart."""

    root: Step
    conflicts: list[tuple[int, int]]


def filter_chain_tree(matches: Sequence[FilterChainMatch]) -> Tree:
    """Return the steps that tell `matches`, known by their indexes, apart.

    Raises NetworkError for an address that is none, and TooManyEntriesError.
    """
    return _Builder([_keys(match) for match in matches]).build()


def _keys(match: FilterChainMatch) -> list[tuple[Hashable, ...]]:
    """For each level, what the chain names there."""
    transports = {None: (), "raw_buffer": (0,), "tls": (1,)}
    return [
        match.destination_ports,
        tuple(parse_network(text) for text in match.destination_addresses),
        # A wildcard as its suffix, which begins with a dot, as no host name does.
        tuple(name.lower().removeprefix("*") for name in match.server_names),
        transports[match.transport_protocol],
        match.application_protocols,
        tuple(parse_network(text) for text in match.source_addresses),
    ]


class _Builder:
    def __init__(self, keys: list[list[tuple[Hashable, ...]]]) -> None:
        self._keys = keys
        self._entries = 0
        self._known: dict[tuple[Level, tuple[int, ...]], Step] = {}
        self._conflicts: dict[int, int] = {}

    def build(self) -> Tree:
        root = self._step(Level.DESTINATION_PORT, tuple(range(len(self._keys))))
        return Tree(root, [(first, other) for other, first in sorted(self._conflicts.items())])

    def _step(self, level: Level, chains: tuple[int, ...]) -> Step:
        known = self._known.get((level, chains))
        if known is None:
            known = self._known[level, chains] = self._new_step(level, chains)
        return known

    def _new_step(self, level: Level, chains: tuple[int, ...]) -> Step:
        if level == Level.CHAIN:
            for other in chains[1:]:
                self._conflicts.setdefault(other, chains[0])
            return Step(level, chain=chains[0])
        named: dict[Hashable, dict[int, None]] = {}
        unnamed = []
        for chain in chains:
            keys = self._keys[chain][level]
            if not keys:
                unnamed.append(chain)
            for key in keys:
                named.setdefault(key, {})[chain] = None
        self._entries += len(named) + 1
        if self._entries > ENTRY_LIMIT:
            raise TooManyEntriesError
        step = Step(level)
        for key, holders in named.items():
            step.entries[key] = self._step(Level(level + 1), tuple(holders))
        if unnamed:
            step.otherwise = self._step(Level(level + 1), tuple(unnamed))
        return step
