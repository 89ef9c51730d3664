"""What was made already, for as long as the facts that it was made of stand."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable
from typing import Any, Protocol, TypeVar

from mesh_cp.model import Fact


class HasFacts(Protocol):
    """What can be remembered: it says which facts it was made of."""

    @property
    def facts(self) -> frozenset[Fact]: ...


_Part = TypeVar("_Part", bound=HasFacts)

PARTS_MOST = 200_000
"""Parts remembered; with one more all are forgotten, since those of proxies that are long gone are among them."""


class Memory:
    """Parts of what proxies should have, by what they were asked for."""

    def __init__(self, parts_most: int = PARTS_MOST) -> None:
        self._parts_most = parts_most
        self._parts: dict[Hashable, Any] = {}
        self._by_fact: dict[Fact, set[Hashable]] = {}

    def get(self, key: Hashable, make: Callable[[], _Part], facts: Iterable[Fact] = ()) -> _Part:
        """The part of `key`, made if it is not there. It depends on its own facts and on `facts`."""
        part: _Part | None = self._parts.get(key)
        if part is None:
            part = make()
            if len(self._parts) >= self._parts_most:
                self._parts.clear()
                self._by_fact.clear()
            self._parts[key] = part
            for fact in part.facts.union(facts):
                self._by_fact.setdefault(fact, set()).add(key)
        return part

    def forget(self, changed: Iterable[Fact]) -> None:
        """Drop every part that depends on one of these."""
        for fact in changed:
            for key in self._by_fact.pop(fact, ()):
                self._parts.pop(key, None)
