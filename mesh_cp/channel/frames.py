"""Updates as frames, encoded once for every proxy that gets the same."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping

from mesh_core.channel.messages import Update, encode
from mesh_core.channel.resources import RESOURCE_TYPES, Encoded, Key, ResourceType

FRAMES_KEPT = 64
"""An endpoint's change goes to all who dial it within a moment, and is not asked for again."""

Change = Mapping[Key, Encoded | None]
"""Of each resource what it becomes; None: it goes."""


class UpdateFrames:
    """Makes frames, and keeps the newest."""

    def __init__(self) -> None:
        self._kept: OrderedDict[tuple[int, frozenset[tuple[Key, bytes | None]]], bytes] = OrderedDict()
        self.encoded = 0
        """How many were made."""

    def frame(self, version: int, change: Change) -> bytes:
        """The frame of an update. Raises ProtocolError when it would be too long."""
        what = version, frozenset((key, None if each is None else each.hash) for key, each in change.items())
        if what in self._kept:
            self._kept.move_to_end(what)
            return self._kept[what]
        self._kept[what] = made = encode(update_of(version, change))
        self.encoded += 1
        if len(self._kept) > FRAMES_KEPT:
            self._kept.popitem(last=False)
        return made


def update_of(version: int, change: Change) -> Update:
    """The message of a change, its resources in the order in which they are of use to one another."""
    upserts: dict[ResourceType, dict[str, tuple[bytes, object]]] = {}
    removals: dict[ResourceType, list[str]] = {}
    for kind in RESOURCE_TYPES:
        for key, each in change.items():
            if key.type != kind:
                continue
            if each is None:
                removals.setdefault(kind, []).append(key.name)
            else:
                upserts.setdefault(kind, {})[key.name] = (each.hash, each.content)
    return Update(
        version=version,
        upserts=upserts,  # type: ignore[arg-type]
        removals={kind: tuple(names) for kind, names in removals.items()},
    )
