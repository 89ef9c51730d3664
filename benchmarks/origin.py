"""The origin behind the proxies: starts it and reads what it counted."""

import struct
from dataclasses import dataclass
from pathlib import Path

from benchmarks.network import free_port
from benchmarks.processes import Program, wait_until
from benchmarks.programs import program

_COUNTERS = struct.Struct("@4Q")
_LIFE_SECONDS = 600


@dataclass(frozen=True)
class Counts:
    """What an origin has counted since it started."""

    requests: int
    accepted: int
    open: int
    bytes: int


class Origin(Program):
    """A running ``load/origin.c``; ``mode`` is http, close, bodies, source or sink.

    It listens on 127.0.0.1, or on every loopback address.
    """

    def __init__(self, mode: str, cpus: frozenset[int], directory: Path, *, every_address: bool = False):
        self.port = free_port()
        self._counters = directory / "origin.counters"
        address = "every" if every_address else "one"
        arguments = [self.port, address, mode, self._counters, _LIFE_SECONDS]
        argv = [str(program("origin")), *map(str, arguments)]
        super().__init__(argv, cpus=cpus, log=directory / "origin.log")
        # Its socket listens before it makes the file.
        wait_until(self._counting, 5, "the origin's start")

    def _counting(self) -> bool:
        self.check()
        return self._counters.exists() and self._counters.stat().st_size == _COUNTERS.size

    def counts(self) -> Counts:
        self.check()
        return Counts(*_COUNTERS.unpack(self._counters.read_bytes()))
