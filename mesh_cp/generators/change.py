"""From what a proxy has to what it should have, in an order in which nothing is ever missing."""

from __future__ import annotations

from collections.abc import Mapping

from msgspec import Struct

from mesh_cp.generators.output import Output, OutputKey


class Change(Struct, frozen=True, kw_only=True):
    """Make before break: `make` is what others will need, `switch` what uses it, `remove` what nothing uses then.

    Each of the three leaves a proxy with a configuration that works.
    """

    make: tuple[Output, ...] = ()
    switch: tuple[Output, ...] = ()
    remove: tuple[OutputKey, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.make or self.switch or self.remove)


def change(before: Mapping[OutputKey, Output], after: Mapping[OutputKey, Output]) -> Change:
    """What turns `before` into `after`. Outputs that both share cost nothing but a look."""
    upserts = [each for key, each in after.items() if (old := before.get(key)) is not each and old != each]
    gone = [key for key in before if key not in after]
    return Change(
        make=tuple(each for each in upserts if each.key.type in _MADE),
        switch=tuple(each for each in upserts if each.key.type not in _MADE),
        # What uses goes before what is used.
        remove=tuple(sorted(gone, key=lambda key: (key.type in _MADE, key))),
    )


_MADE = ("cluster", "endpoint")
