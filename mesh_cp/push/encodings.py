"""Outputs of generators as they travel, encoded once for all who get them."""

from __future__ import annotations

from mesh_core.channel.resources import Encoded, Key, encode_resource
from mesh_cp.generators import Output, OutputKey

KEPT_MOST = 20_000
"""What is encoded is asked for again by others who get the same within a moment, and when a proxy comes back."""


class Encodings:
    """Remembers how the newest outputs were encoded."""

    def __init__(self) -> None:
        # The output is kept with it, so that its id is nobody else's meanwhile.
        self._kept: dict[int, tuple[Output, Encoded]] = {}
        self.encoded = 0
        """How many were made."""

    def of(self, output: Output) -> Encoded:
        """The output as it travels."""
        found = self._kept.get(id(output))
        if found is None:
            if len(self._kept) >= KEPT_MOST:
                del self._kept[next(iter(self._kept))]
            self.encoded += 1
            found = self._kept[id(output)] = output, encode_resource(output.content)
        return found[1]


def key_of(key: OutputKey) -> Key:
    """What the channel knows an output by."""
    return Key(key.type, key.name)
