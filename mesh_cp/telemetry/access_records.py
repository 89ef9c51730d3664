"""The newest access records that proxies have told of, in a ring that is bounded in count and bytes."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable
from typing import NamedTuple

from mesh_core.channel.messages import Telemetry
from mesh_cp.channel.rate import TokenBucket
from mesh_cp.observation import AccessRecord

KEPT_MOST = 20_000
KEPT_BYTES = 16 * 1024 * 1024
EACH_S, AT_ONCE = 1000.0, 2000.0
"""Of one proxy: what is more is dropped, so that none fills the ring alone within a moment."""


class Found(NamedTuple):
    """Records, oldest first; the sequence to go on behind; how many between were not kept, of whatever proxy."""

    records: tuple[AccessRecord, ...]
    last: int
    missed: int


class AccessRecords:
    """Keeps them. `dropped`: how many proxies have left out, and how many were not taken from them."""

    def __init__(self, now_s: Callable[[], float] = time.monotonic) -> None:
        self._now_s = now_s
        self._kept: deque[AccessRecord] = deque()
        self._bytes = 0
        self._last = 0
        self._rates: dict[str, TokenBucket] = {}
        self.dropped = 0

    def take(self, node: str, service: str, telemetry: Telemetry) -> None:
        """What a proxy of that service has told."""
        self.dropped += telemetry.dropped
        if not telemetry.records:
            return
        now_s = self._now_s()
        rate = self._rates.setdefault(node, TokenBucket(EACH_S, AT_ONCE, now_s))
        if rate.take(len(telemetry.records), now_s):
            self.dropped += len(telemetry.records)
            return
        time_ms = int(time.time() * 1000)
        for line in telemetry.records:
            self._last += 1
            self._kept.append(
                AccessRecord(sequence=self._last, time_ms=time_ms, proxy=node, service=service, line=line)
            )
            self._bytes += len(line)
        while len(self._kept) > KEPT_MOST or self._bytes > KEPT_BYTES:
            self._bytes -= len(self._kept.popleft().line)

    def gone(self, node: str) -> None:
        """The proxy is gone; what it has told stays."""
        self._rates.pop(node, None)

    def find(self, after: int, limit: int, proxy: str = "", service: str = "") -> Found:
        """The first `limit` behind the sequence `after`, or with `after` -1 the newest ones: of all, or of one proxy,
        or of the proxies of a service, by its name or name.namespace."""
        chosen = [
            each
            for each in self._kept
            if each.sequence > after and proxy in ("", each.proxy) and service in ("", *_names(each.service))
        ]
        if after < 0:
            return Found(tuple(chosen[-limit:]), self._last, 0)
        found = tuple(chosen[:limit])
        last = found[-1].sequence if len(chosen) > limit else self._last
        oldest = self._kept[0].sequence if self._kept else self._last + 1
        return Found(found, last, max(0, oldest - after - 1) if after <= self._last else 0)


def _names(service: str) -> tuple[str, str]:
    return service, service.partition(".")[0]
