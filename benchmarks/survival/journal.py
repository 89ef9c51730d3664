"""What an origin writes down, each event at once, so that not even a SIGKILL makes it forget a request."""

import os
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from enum import IntEnum
from pathlib import Path

_EVENT = struct.Struct("<B3xIQ")  # kind, request number, monotonic µs; written whole or not at all


class Kind(IntEnum):
    """What happened to a request at an origin."""

    BEGUN = 1  # its head has come
    DONE = 2  # its body has come whole, and is what was sent
    WRONG = 3  # its body has come whole, and is not what was sent
    REFUSED = 4  # it was answered with 503 on purpose


@dataclass(frozen=True)
class Event:
    kind: Kind
    number: int
    at_us: int


class JournalWriter:
    """An origin's journal, continued where its predecessor stopped."""

    def __init__(self, path: Path):
        self._descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)

    def write(self, kind: Kind, number: int, at_us: int) -> None:
        os.write(self._descriptor, _EVENT.pack(kind, number, at_us))

    def close(self) -> None:
        os.close(self._descriptor)


def read(path: Path) -> Iterator[Event]:
    """Give the events of a journal, in the order in which they happened."""
    data = path.read_bytes() if path.exists() else b""
    for kind, number, at_us in _EVENT.iter_unpack(data[:len(data) // _EVENT.size * _EVENT.size]):
        yield Event(Kind(kind), number, at_us)
