"""What was attempted at the endpoints of a cluster since the last sweep, out of counters that workers only add to."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from mesh_core.control.upstream_health.members import Member
from mesh_core.control.upstream_health.outlier_statistics import Attempts
from mesh_core.telemetry.stats import StatsScope


class _Seen(NamedTuple):
    """The counters of attempts of requests at one time."""

    stats: StatsScope
    answered: int
    errors: int
    failed: int


class OutlierAttempts:
    """Remembers what was counted when it last looked."""

    def __init__(self) -> None:
        self._seen: dict[str, _Seen] = {}

    def update(self, members: Mapping[str, Member]) -> None:
        """From now on these are the endpoints. What those that are new have done before does not count."""
        self._seen = {name: self._seen_of(name, member) for name, member in members.items()}

    def take(self, name: str, member: Member, *, split: bool) -> tuple[Attempts, Attempts]:
        """What was attempted at an endpoint since the last call: the origin's own doing, and of local origin.

        `split`: requests that were not answered are of local origin, as connections of TCP are always.
        """
        before, now = self._seen[name], _seen_now(member)
        self._seen[name] = now
        answered, errors = now.answered - before.answered, now.errors - before.errors
        failed = now.failed - before.failed
        connected, refused = member.state.take_connects()
        if split:
            return Attempts(answered, errors), Attempts(connected + answered + errors, refused + failed)
        return Attempts(answered, errors + failed), Attempts(connected, refused)

    def _seen_of(self, name: str, member: Member) -> _Seen:
        seen = self._seen.get(name)
        return seen if seen is not None and seen.stats is member.stats else _seen_now(member)


def _seen_now(member: Member) -> _Seen:
    counted = member.stats.read()
    return _Seen(member.stats, counted["attempt_answered"], counted["attempt_error"], counted["attempt_failed"])
