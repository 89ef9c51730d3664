"""The demo's processes: the control plane, services, sidecars; started together, stopped together."""

import contextlib
import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

HOPMESH = (sys.executable, "-m", "mesh_core.cli")
START_LIMIT_S = 30
STOP_LIMIT_S = 15


class DemoError(Exception):
    """Something did not do what the demo is about to show."""


def command(*arguments: str) -> str:
    """How to type a hopmesh command."""
    script = Path(sys.executable).with_name("hopmesh")
    with contextlib.suppress(ValueError):
        script = script.relative_to(Path.cwd())
    return " ".join((str(script) if script.exists() else "python -m mesh_core.cli", *arguments))


def free_ports(count: int) -> list[int]:
    """Ports that nobody has, all different."""
    with contextlib.ExitStack() as taken:
        sockets = [taken.enter_context(socket.create_server(("127.0.0.1", 0))) for _ in range(count)]
        return [each.getsockname()[1] for each in sockets]


class Program:
    """A child with its log in a file. A session of its own keeps Ctrl-C from us to it: the demo stops it."""

    def __init__(self, name: str, arguments: Sequence[object], log: Path) -> None:
        self.name, self._log = name, log
        with log.open("wb") as output:
            self.process = subprocess.Popen(
                [os.fspath(each) if isinstance(each, os.PathLike) else str(each) for each in arguments],
                stdin=subprocess.PIPE,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def wait_for(self, event: str) -> dict[str, Any]:
        """The first event of that name in its log. Raises DemoError, with the log, when it ends or takes too long."""
        end = time.monotonic() + START_LIMIT_S
        while True:
            ended = self.process.poll() is not None
            lines = self._log.read_text().splitlines(keepends=True)
            for line in lines:
                if line.startswith("{") and line.endswith("\n") and json.loads(line)["event"] == event:
                    return dict(json.loads(line))
            if ended or time.monotonic() > end:
                raise DemoError(f"{self.name}: no {event!r} in its log:\n{''.join(lines)}")
            time.sleep(0.02)

    def ask_to_stop(self) -> None:
        """By SIGTERM, or by the end of its stdin."""
        assert self.process.stdin is not None
        self.process.stdin.close()
        self.process.terminate()

    def stop(self) -> int:
        """Its exit code, once it has ended."""
        self.ask_to_stop()
        try:
            return self.process.wait(STOP_LIMIT_S)
        except subprocess.TimeoutExpired:
            self.process.kill()
            return self.process.wait()
