"""The access records that a control plane is told of: so many a second, and of the others how many there were."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable

from mesh_core.channel.messages import RECORD_CHARACTERS, RECORDS_MOST

TOLD_BYTES = 1024 * 1024
"""At one time, about; what is more waits."""


class RecordShare:
    """Takes lines as they are collected, and keeps some until they are told. Control thread."""

    def __init__(self, each_s: int, now_s: Callable[[], float] = time.monotonic) -> None:
        """`each_s`: how many lines a second, 1,000 at most."""
        self._each_s, self._now_s = each_s, now_s
        self._left, self._at_s = float(each_s), now_s()
        self._lines: deque[bytes] = deque()
        self._dropped = 0

    def take(self, lines: bytes) -> None:
        """Lines of the access log, whole. At once at most those of a second are kept."""
        now_s = self._now_s()
        self._left = min(float(self._each_s), self._left + (now_s - self._at_s) * self._each_s)
        self._at_s = now_s
        room = max(0, min(int(self._left), RECORDS_MOST - len(self._lines)))
        *taken, rest = lines.split(b"\n", room)
        kept = [line for line in taken if len(line) <= RECORD_CHARACTERS]
        self._left -= len(taken)
        self._lines.extend(kept)
        self._dropped += len(taken) - len(kept) + rest.count(b"\n")

    def told(self) -> tuple[tuple[str, ...], int]:
        """The lines to tell, oldest first, and how many others there were since the last time."""
        told: list[str] = []
        size = 0
        while self._lines and size < TOLD_BYTES:
            line = self._lines.popleft()
            size += len(line)
            told.append(line.decode("utf-8", "replace"))
        dropped, self._dropped = self._dropped, 0
        return tuple(told), dropped
