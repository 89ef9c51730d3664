"""The demo's processes: origins, and a proxy whose log says where it listens."""

import json
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import IO, Any

HOPMESH = Path(sys.executable).with_name("hopmesh")
START_LIMIT_S = 20
STOP_LIMIT_S = 10


class DemoError(Exception):
    """Something did not do what the demo is about to show."""


class Origin:
    """An HTTP server of our own in a process of its own."""

    def __init__(self, name: str) -> None:
        self.name = name
        command = [sys.executable, "-m", "demo.origin", name]
        self.process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, start_new_session=True
        )
        assert self.process.stdout is not None
        port = self.process.stdout.readline().strip()
        if not port:
            raise DemoError(f"the origin {name} did not start")
        self.address = f"127.0.0.1:{port}"

    def stop(self) -> None:
        """End it by closing its stdin."""
        self.process.communicate(timeout=STOP_LIMIT_S)


class Proxy:
    """``hopmesh proxy``, its log read as it is written."""

    def __init__(self, config: Path) -> None:
        # A session of its own keeps Ctrl-C from us to it: the demo stops it, and shows how it drains.
        self.process = subprocess.Popen(
            [HOPMESH, "proxy", "--config", config],
            stdin=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        self.events: list[dict[str, Any]] = []
        self._lines: list[str] = []
        self._arrived = threading.Condition()
        self._ended = False
        assert self.process.stderr is not None
        threading.Thread(target=self._read, args=(self.process.stderr,), daemon=True).start()

    def wait_for(self, wanted: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
        """Return the first event of the log that is wanted.

        Raises DemoError, with the log, when the proxy ends or the time is up before.
        """

        def found() -> dict[str, Any] | None:
            return next(filter(wanted, self.events), None)

        with self._arrived:
            self._arrived.wait_for(lambda: found() or self._ended, START_LIMIT_S)
            event = found()
        if event is None:
            raise DemoError("hopmesh proxy did not get ready; its log:\n" + "".join(self._lines))
        return event

    def stop(self) -> int:
        """Drain it by SIGTERM; return its exit code."""
        self.process.terminate()
        try:
            return self.process.wait(STOP_LIMIT_S)
        except subprocess.TimeoutExpired:
            self.process.kill()
            return self.process.wait()

    def _read(self, log: IO[str]) -> None:
        for line in log:
            try:
                event = json.loads(line)
            except ValueError:
                event = {}
            with self._arrived:
                self._lines.append(line)
                if isinstance(event, dict):
                    self.events.append(event)
                self._arrived.notify_all()
        with self._arrived:
            self._ended = True
            self._arrived.notify_all()
