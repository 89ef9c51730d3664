"""What a peer must say about itself, so that every scenario can put it between load and origin."""

from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Protocol


class Mode(StrEnum):
    """What stands between the load and the origin.

    Later modes are added here and to the adapters that can do them: HTTP, TLS from the load, a pair of
    sidecars with mutual TLS between them.
    """

    TCP = "tcp"  # one process relays bytes


@dataclass(frozen=True)
class Plan:
    """What the harness asks of a peer for one measurement."""

    mode: Mode
    listen_port: int  # where the load will connect, on 127.0.0.1
    origin_port: int  # where the origin listens, on 127.0.0.1
    directory: Path  # an empty directory of this measurement's own, for configuration and whatever else
    sessions: int = 4096  # how many connections the proxy must be able to hold


@dataclass(frozen=True)
class Launch:
    """A process to start: its command line, and the files to write before (name in the directory: text)."""

    argv: list[str]
    files: dict[str, str] = field(default_factory=dict)
    env: dict[str, str] = field(default_factory=dict)


class Peer(Protocol):
    """One proxy. An adapter holds a configuration template per mode, a command line, and a version."""

    name: str
    modes: frozenset[Mode]

    def missing(self) -> str | None:
        """Return why it cannot be run here and how to get it, in one line; None when it can."""

    def version(self) -> str:
        """Return its version in one line. Called only when it is not missing."""

    def launches(self, plan: Plan) -> list[Launch]:
        """Return the processes to start, in order: one, or two for a pair; none for no proxy at all.

        The last to be ready must be the one that listens on ``plan.listen_port``. Each must stay in the
        foreground, use one worker, write no access log, and end on SIGTERM.
        """


def first_line(text: str) -> str:
    """Return the first line of a program's output that is not blank."""
    return next((line.strip() for line in text.splitlines() if line.strip()), "unknown")
