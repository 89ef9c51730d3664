"""A Python program of ours in a process of its own, spoken to in lines of JSON."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any, Self

from tests.support.waiting import LIMIT_S

ROOT = Path(__file__).resolve().parents[2]


class Child:
    """Runs a module until it is left; its standard output and input carry the lines."""

    def __init__(self, module: str, *arguments: str) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", module, *arguments],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        assert self._process.stdin
        assert self._process.stdout
        self._process.stdin.close()
        try:
            assert self._process.wait(LIMIT_S) == 0
        finally:
            self._process.kill()
            self._process.wait()
            self._process.stdout.close()

    def say(self, line: Any) -> None:
        """Send a line."""
        assert self._process.stdin
        self._process.stdin.write(json.dumps(line) + "\n")
        self._process.stdin.flush()

    def hear(self) -> Any:
        """The next line; fails when there is none."""
        assert self._process.stdout
        line = self._process.stdout.readline()
        assert line, "the child has ended"
        return json.loads(line)

    def ask(self, line: Any) -> Any:
        """Send a line and return the answer."""
        self.say(line)
        return self.hear()
