"""The numbers of updates: which revision of the store each goes by, and whom it concerns."""

from __future__ import annotations

import asyncio
from bisect import bisect_right
from collections.abc import Collection

KEPT = 10_000


class Versions:
    """Versions from 1, one for each world."""

    def __init__(self) -> None:
        self._numbers: list[int] = []
        self._revisions: list[int] = []
        self._concerned: dict[int, frozenset[str]] = {}
        self._news = asyncio.Event()
        self.current = 0
        """The newest."""
        self.revision = 0
        """The revision of the store that it goes by."""

    def next(self, revision: int, concerned: Collection[str]) -> int:
        """A new version by that revision; whom it concerns can be told later."""
        self.current += 1
        self.revision = revision
        self._numbers.append(self.current)
        self._revisions.append(revision)
        self.concerns(self.current, concerned)
        if len(self._numbers) > 2 * KEPT:
            for number in self._numbers[:KEPT]:
                del self._concerned[number]
            del self._numbers[:KEPT], self._revisions[:KEPT]
        self.tell()
        return self.current

    def concerns(self, version: int, nodes: Collection[str]) -> None:
        """These proxies are sent something new by the version."""
        self._concerned[version] = frozenset(nodes)

    def concerned(self, version: int) -> frozenset[str]:
        """Whom it concerns."""
        return self._concerned.get(version, frozenset())

    def of_revision(self, revision: int) -> int | None:
        """The first version that goes by that revision of the store, or a later one; None: it is yet to come."""
        at = bisect_right(self._revisions, revision - 1)
        return self._numbers[at] if at < len(self._numbers) else None

    def revision_of(self, version: int) -> int:
        """The revision that a version goes by; 0 when that is forgotten or there was none."""
        at = bisect_right(self._numbers, version) - 1
        return self._revisions[at] if at >= 0 else 0

    def tell(self) -> None:
        """Something has changed that somebody may wait for."""
        self._news.set()
        self._news = asyncio.Event()

    async def news(self) -> None:
        """Wait until then."""
        await self._news.wait()
