"""What is wrong with a configuration: one `Fault` each, all of them carried by one `ConfigError`.

A fault is plain data: `hopmesh validate --format json` prints it and the control channel sends it in a NACK.
Nothing here knows YAML or the schema.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from msgspec import Struct

from mesh_core.config.escape import escaped

# Hostile input can hold a fault every other byte; an operator reads the first few.
FAULT_LIMIT = 1000

PathStep = str | int
"""One step into a configuration: a key of a mapping, or an index of a list."""

Hint = str | Callable[[], str | None] | None
"""What would be right, or what finds it: called only for a fault that is kept."""


Report = Callable[[Sequence[PathStep], str, Hint], None]
"""Takes a fault: the path, the message and the hint."""


class Fault(Struct, frozen=True):
    """One thing wrong, where it is, and what would be right.

    `path` is the field path (`clusters[0].connect_timeout_ms`; empty for the whole document). `line` and
    `column` count from 1, in characters; both are None when the configuration did not come from text.
    """

    path: str
    line: int | None
    column: int | None
    message: str
    hint: str | None = None

    def render(self, name: str) -> str:
        """The fault as one line of text, led by the name of the file that it is in."""
        where = name if self.line is None else f"{name}:{self.line}:{self.column}"
        subject = f"{self.path}: " if self.path else ""
        advice = f" — {self.hint}" if self.hint else ""
        return f"{where}: {subject}{self.message}{advice}"


class ConfigError(Exception):
    """A configuration that is refused whole. `faults` is never empty and is in the order of the text.

    `omitted` counts the faults found beyond `FAULT_LIMIT`.
    """

    def __init__(self, name: str, faults: tuple[Fault, ...], omitted: int = 0) -> None:
        super().__init__(name, faults, omitted)
        self.name = name
        self.faults = faults
        self.omitted = omitted

    def __str__(self) -> str:
        lines = [fault.render(self.name) for fault in self.faults]
        if self.omitted:
            lines.append(f"{self.name}: {self.omitted} more faults are not listed")
        return "\n".join(lines)


class FaultList:
    """Collects the faults of one configuration, up to `FAULT_LIMIT` of them, and counts the rest."""

    def __init__(self) -> None:
        self._faults: list[Fault] = []
        self._omitted = 0

    def __bool__(self) -> bool:
        return bool(self._faults)

    def add(self, path: str, position: tuple[int, int] | None, message: str, hint: Hint = None) -> None:
        """Take one fault. `position` is its line and column, each from 1, or None without text."""
        if self.is_full:
            self._omitted += 1
            return
        line, column = position or (None, None)
        advice = hint() if callable(hint) else hint
        # Whatever the words were made of, no control character of the input gets through.
        self._faults.append(Fault(path, line, column, escaped(message), advice and escaped(advice)))

    @property
    def is_full(self) -> bool:
        """Whether further faults are only counted, so that nothing need be spent on their wording."""
        return len(self._faults) >= FAULT_LIMIT

    @property
    def ordered(self) -> tuple[Fault, ...]:
        """Every fault taken so far, in the order of the text."""
        return tuple(sorted(self._faults, key=lambda fault: (fault.line or 0, fault.column or 0)))

    @property
    def omitted(self) -> int:
        """The faults that were only counted."""
        return self._omitted

    def raise_if_any(self, name: str) -> None:
        """Raise ConfigError with every fault taken so far, in the order of the text; else do nothing."""
        if self._faults:
            raise ConfigError(name, self.ordered, self._omitted)
