"""The origins, a process each: started, hurt and brought back by whoever holds the fleet."""

import contextlib
import json
import signal
import socket
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from benchmarks.network import free_port
from benchmarks.paths import ROOT
from benchmarks.processes import Program, wait_until
from benchmarks.survival.origin import journal_path, orders_path

_START_SECONDS = 60.0


class Member:
    """One origin, with an address that stays while its processes come and go."""

    def __init__(self, number: int, directory: Path, cpus: frozenset[int]):
        self.number, self.port = number, free_port()
        self.journal = journal_path(directory, number)
        self._directory, self._cpus = directory, cpus
        self._program: Program | None = None
        self._generation = 0
        self.paused = False

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.port}"

    @property
    def running(self) -> bool:
        return self._program is not None and self._program.running()

    def start(self) -> None:
        """Start a process, unless there is one; it may not listen yet."""
        if self.running:
            return
        self._generation += 1
        arguments = [str(self.number), str(self.port), str(self._directory)]
        self._program = Program([sys.executable, "-m", "benchmarks.survival.origin", *arguments], cpus=self._cpus,
                                log=self._log(self._generation), env={"PYTHONPATH": str(ROOT)})

    def _log(self, generation: int) -> Path:
        return self._directory / f"origin-{self.number}-{generation}.log"

    def complaints(self) -> str:
        """Return what its processes have printed: nothing, unless there is a fault in them."""
        return "".join(self._log(each + 1).read_text() for each in range(self._generation))

    @property
    def listening(self) -> bool:
        """Whether connections to it are accepted, by itself or, while it is paused, by the kernel."""
        if not self.running:
            return False
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self.port), 1.0):
            return True
        return False

    def until_listening(self) -> None:
        wait_until(lambda: self.listening, _START_SECONDS, f"origin {self.number} listening")

    def order(self, **order: Any) -> None:
        """Tell it something; what a process that is not there is told is lost."""
        with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sender:
            sender.sendto(json.dumps(order).encode(), str(orders_path(self._directory, self.number)))

    def pause(self) -> None:
        """Have it do nothing at all, while the kernel goes on to accept in its name."""
        if self._program is not None and self.running:
            self._program.signal(signal.SIGSTOP)
            self.paused = True

    def go_on(self) -> None:
        if self._program is not None and self.running:
            self._program.signal(signal.SIGCONT)
        self.paused = False

    def kill(self) -> None:
        """End it at once; its connections are reset."""
        if self._program is not None and self.running:
            self._program.signal(signal.SIGKILL)
            self._program.stop()
        self.paused = False

    def end(self) -> None:
        """Ask it to end in peace; ``running`` says when it has."""
        if self._program is not None and self.running:
            self._program.signal(signal.SIGTERM)


@contextlib.contextmanager
def fleet(count: int, directory: Path, cpus: frozenset[int]) -> Iterator[list[Member]]:
    """Give so many origins that listen; all are killed at the end."""
    members = [Member(number, directory, cpus) for number in range(count)]
    try:
        for each in members:
            each.start()
        for each in members:
            each.until_listening()
        yield members
    finally:
        for each in members:
            each.kill()
