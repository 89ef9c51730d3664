"""How far a change has come: what the API asks of whatever pushes to the proxies."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from msgspec import Struct

from mesh_cp.catalog import Edit
from mesh_cp.model import Problem
from mesh_cp.resources import Key


class Rejection(Struct, frozen=True):
    """A proxy that refused what it was sent, and every reason that it gave."""

    proxy: str
    reasons: tuple[str, ...]


class Acknowledgement(Struct, frozen=True, kw_only=True):
    """Who has taken a change: how many of the proxies that it concerns, who refused it, who has not answered yet.

    `elapsed_ms`: from its commit to the last answer, or to when the waiting ended.
    """

    affected: int
    acknowledged: int
    rejected: tuple[Rejection, ...] = ()
    waiting: tuple[str, ...] = ()
    elapsed_ms: float = 0.0


class ProxyStatus(Struct, frozen=True, kw_only=True):
    """A proxy, connected or known of. `revision`: the last that it has acknowledged; `faults`: of its last refusal."""

    name: str
    connected: bool
    in_sync: bool
    version: str
    revision: int
    faults: tuple[str, ...] = ()


class ProxyPreview(Struct, frozen=True, kw_only=True):
    """What a proxy would be sent: names of what is set, and of what is removed, as "cluster default/web"."""

    proxy: str
    set: tuple[str, ...]
    removed: tuple[str, ...]


class Propagation(Protocol):
    """Whatever pushes to the proxies."""

    def proxies(self) -> Sequence[ProxyStatus]:
        """All of them, by name."""

    def problems(self, key: Key) -> Sequence[Problem]:
        """What a resource asks for and does not get, because of others or for want of them."""

    async def acknowledged(self, revision: int, committed_s: float, timeout_s: float) -> Acknowledgement:
        """Wait until every proxy that the change of `revision` concerns has answered, or until the time is over.

        `committed_s`: when that change was committed, by time.monotonic.
        """

    async def preview(self, edits: Sequence[Edit]) -> Sequence[ProxyPreview]:
        """What each proxy would be sent if `edits` were done; those that would get nothing are left out."""
