"""Which proxies a change concerns."""

from __future__ import annotations

from collections.abc import Iterable

from mesh_cp.model import Fact


class Index:
    """The facts that each proxy's outputs depend on, and the other way round."""

    def __init__(self) -> None:
        self._facts: dict[str, frozenset[Fact]] = {}
        self._proxies: dict[Fact, set[str]] = {}

    def update(self, proxy: str, facts: frozenset[Fact]) -> None:
        """From now on the proxy of that id depends on these."""
        before = self._facts.get(proxy, frozenset())
        if before is facts:
            return
        for fact in before - facts:
            self._drop(fact, proxy)
        for fact in facts - before:
            self._proxies.setdefault(fact, set()).add(proxy)
        self._facts[proxy] = facts

    def remove(self, proxy: str) -> None:
        """The proxy is gone."""
        for fact in self._facts.pop(proxy, ()):
            self._drop(fact, proxy)

    def concerned(self, changed: Iterable[Fact]) -> set[str]:
        """The ids of the proxies that depend on one of these facts."""
        found: set[str] = set()
        for fact in changed:
            found |= self._proxies.get(fact, set())
        return found

    def _drop(self, fact: Fact, proxy: str) -> None:
        those = self._proxies[fact]
        those.discard(proxy)
        if not those:
            del self._proxies[fact]
