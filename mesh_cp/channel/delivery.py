"""What one proxy should have, what it has, and what is still to be sent. No I/O.

One update is under way at a time; what changes meanwhile is merged, so a slow proxy costs no queue: it gets the newest
state of each resource, and none in between. While an update is refused, endpoints that have nothing to do with it go on
by themselves: a route that is wrong must not keep a proxy sending to workloads that are gone.
"""

from __future__ import annotations

from collections.abc import Mapping

from mesh_core.channel.resources import RESOURCE_TYPES, Encoded, Key
from mesh_cp.channel.frames import Change

RETRY_FIRST_S = 1.0
RETRY_MOST_S = 60.0
"""A refused update is sent again after the first of these, then after twice as long, up to the second: what stood in
its way may be gone. A change of what is wanted is sent at once."""

UPDATE_BYTES = 8 * 1024 * 1024
"""About the largest update, half of the longest frame: what is more goes in several."""


def first_part(due: Change) -> Change:
    """As much of a change as one update carries: what others need first, removals last."""
    ordered = sorted(due, key=lambda key: (due[key] is None, RESOURCE_TYPES.index(key.type)))
    part: dict[Key, Encoded | None] = {}
    size = 0
    for key in ordered:
        each = due[key]
        size += len(key.name) + 64 + (0 if each is None else len(bytes(each.content)))
        if part and size > UPDATE_BYTES:
            break
        part[key] = each
    return part


class Delivery:
    """The state of one proxy's resources."""

    def __init__(self, holds: Mapping[Key, bytes]) -> None:
        """`holds`: the hashes of what the proxy has already."""
        self._holds = dict(holds)
        self._wanted: dict[Key, Encoded] = {}
        self._dirty: set[Key] = set()
        self._under_way: tuple[int, Change] | None = None
        self._under_way_is_all = False
        self._under_way_is_apart = False
        self._wanted_version = 0
        self._refusals = 0
        self._waits_to_retry = False
        self._poison: set[Key] = set()
        """What may be at fault in updates that were refused."""
        self.refused: tuple[str, ...] = ()
        """The faults of the last update, when that was refused."""
        self.refused_version = 0
        """The version of the last update that was refused."""
        self.acked_version = 0
        """The newest version that is in effect there as a whole; 0: none yet."""

    def want_all(self, version: int, resources: Mapping[Key, Encoded]) -> None:
        """From now on these are what it should have."""
        self._dirty |= self._wanted.keys() | self._holds.keys() | resources.keys()
        self._wanted = dict(resources)
        self._waits_to_retry = False
        self._changed(version)

    def want(self, version: int, change: Change) -> None:
        """These resources become so, all others stay."""
        for key, each in change.items():
            if each is None:
                self._wanted.pop(key, None)
            else:
                self._wanted[key] = each
        self._dirty |= change.keys()
        if not all(self._goes_apart(key, each) for key, each in change.items()):
            self._waits_to_retry = False
        self._changed(version)

    def _changed(self, version: int) -> None:
        self._wanted_version = version
        self._settle()

    def _goes_apart(self, key: Key, each: Encoded | None) -> bool:
        """Whether it is endpoints of a cluster that is there, and no part of what was refused."""
        return key.type == "endpoint" and each is not None and key not in self._poison and self._has_cluster(key.name)

    def _has_cluster(self, name: str) -> bool:
        key = Key("cluster", name)
        return key in self._holds and key not in self._poison

    def next(self) -> tuple[int, Change] | None:
        """The update to send now; None while one is under way, one was refused, or there is nothing to send.

        Whoever sends it tells what became of it by `acked` or `nacked`.
        """
        if self._under_way is not None:
            return None
        due = self._due()
        if not due:
            self._settle()
            return None
        change = first_part(due)
        self._under_way_is_apart = False
        if self._poison:
            apart = {key: each for key, each in due.items() if self._goes_apart(key, each)}
            if not apart and self._waits_to_retry:
                return None
            change = first_part(apart or due)
            self._under_way_is_apart = bool(apart)
        self._under_way = self._wanted_version, change
        self._under_way_is_all = len(change) == len(due)
        return self._under_way

    def _due(self) -> dict[Key, Encoded | None]:
        due: dict[Key, Encoded | None] = {}
        for key in list(self._dirty):
            wanted = self._wanted.get(key)
            if self._holds.get(key) == (None if wanted is None else wanted.hash):
                self._dirty.discard(key)
            else:
                due[key] = wanted
        return due

    def acked(self, version: int) -> bool:
        """The update is in effect; False when none of that version was under way."""
        if self._under_way is None or self._under_way[0] != version:
            return False
        for key, each in self._under_way[1].items():
            if each is None:
                self._holds.pop(key, None)
            else:
                self._holds[key] = each.hash
        if self._poison & self._under_way[1].keys():
            self._recovered()
        self._under_way = None
        if self._under_way_is_all:
            self.acked_version = max(self.acked_version, version)
        elif self._poison:
            # Of this version all is in effect but what is still refused.
            self.refused_version = version
        self._settle()
        return True

    def nacked(self, version: int, faults: tuple[str, ...]) -> float | None:
        """The update was refused: nothing has changed there. The seconds until `retry`, unless something changes
        before; None when none of that version was under way."""
        if self._under_way is None or self._under_way[0] != version:
            return None
        changed_meanwhile = self._wanted_version != version
        self._suspect(self._under_way[1])
        self._under_way = None
        # What stands in the way of the rest does so still.
        self.refused = tuple(dict.fromkeys((*self.refused, *faults))) if self._under_way_is_apart else faults
        self.refused_version = version
        if changed_meanwhile or (self._under_way_is_apart and not self._waits_to_retry):
            return 0.0
        if not self._under_way_is_apart:
            self._waits_to_retry = True
            self._refusals += 1
        return min(RETRY_FIRST_S * 2.0 ** (self._refusals - 1), RETRY_MOST_S)

    def _suspect(self, refused: Change) -> None:
        """Note what may have been at fault: rather the others than endpoints."""
        self._poison |= {key for key in refused if key.type != "endpoint"}
        suspects = {key for key, each in refused.items() if not self._goes_apart(key, each)}
        self._poison |= suspects or refused.keys()

    def retry(self) -> None:
        """The time after a refusal is over."""
        self._waits_to_retry = False

    def _settle(self) -> None:
        if self._under_way is None and not self._due():
            self._recovered()
            self.acked_version = max(self.acked_version, self._wanted_version)

    def _recovered(self) -> None:
        self.refused, self._poison = (), set()
        self._refusals = 0
        self._waits_to_retry = False

    @property
    def in_sync(self) -> bool:
        """Whether it has all that it should have."""
        return self._under_way is None and not self._due()

    @property
    def wanted_version(self) -> int:
        """The version of what it should have."""
        return self._wanted_version

    @property
    def wanted(self) -> Mapping[Key, Encoded]:
        """What it should have."""
        return self._wanted

    @property
    def holds(self) -> Mapping[Key, bytes]:
        """The hashes of what it has said that it has."""
        return self._holds
