"""`hopmesh control-plane` as a process of its own, on a store and sockets in a folder of the test's."""

from __future__ import annotations

import json
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from mesh_cp.cli.client import Client
from tests.support.process import COMMAND, LIMIT_S, REPOSITORY, stop_process, until


class ControlPlaneProcess:
    """A running control plane. Its log is a file, so that nobody need read it for it to go on."""

    def __init__(self, folder: Path, *arguments: str) -> None:
        self.socket = folder / "api.sock"
        self.channel = f"unix:{folder / 'channel.sock'}"
        self._log = folder / "control-plane.log"
        self._begun = self._log.stat().st_size if self._log.exists() else 0
        with self._log.open("ab") as log:
            self.process = subprocess.Popen(
                [*COMMAND, "control-plane", "--data-dir", folder / "data", "--listen", self.address, *arguments],
                cwd=REPOSITORY,
                stdin=subprocess.DEVNULL,
                stderr=log,
            )

    @property
    def address(self) -> str:
        """Of its API."""
        return f"unix:{self.socket}"

    @property
    def client(self) -> Client:
        """One who asks it."""
        return Client(self.address)

    @property
    def log(self) -> str:
        """What this process has logged."""
        return self._log.read_bytes()[self._begun :].decode()

    def events(self, event: str, **fields: Any) -> list[dict[str, Any]]:
        """Those of that name, and with those fields, so far."""
        wanted = {"event": event, **fields}
        lines = self.log.splitlines(keepends=True)
        told = [json.loads(line) for line in lines if line.startswith("{") and line.endswith("\n")]
        return [each for each in told if wanted.items() <= each.items()]

    def wait_for(self, event: str, count: int = 1, **fields: Any) -> dict[str, Any]:
        """The `count`-th event of that name, with those fields."""

        def found() -> bool:
            ended = self.process.poll() is not None
            if len(self.events(event, **fields)) >= count:
                return True
            assert not ended, f"it has ended: {self.log}"
            return False

        until(found, f"{event} {fields}")
        return self.events(event, **fields)[count - 1]

    def stop(self, number: signal.Signals = signal.SIGTERM) -> int:
        """End it by a signal; its exit status."""
        self.process.send_signal(number)
        return self.process.wait(LIMIT_S)


@contextmanager
def running(folder: Path, *arguments: str) -> Iterator[ControlPlaneProcess]:
    """One that is ready; killed at the end."""
    control_plane = ControlPlaneProcess(folder, *arguments)
    try:
        control_plane.wait_for("ready")
        yield control_plane
    finally:
        stop_process(control_plane.process)
