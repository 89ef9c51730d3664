"""Starts and stops the programs of a measurement; every one of them is stopped by its pid."""

import contextlib
import ctypes
import os
import signal
import subprocess
import time
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Self

from benchmarks.errors import BenchmarkError

_PR_SET_PDEATHSIG = 1
_STOP_SECONDS = 3.0
_libc = ctypes.CDLL(None)


class Program:
    """A started program, and its descendants. Use it as a context manager: leaving stops it."""

    def __init__(self, argv: Sequence[str], *, cpus: Collection[int], log: Path,
                 env: Mapping[str, str] | None = None, cwd: Path | None = None):
        """Start ``argv`` pinned to ``cpus``; what it prints, to either stream, goes to the file ``log``."""
        self.argv, self.log = list(argv), log

        def prepare() -> None:
            # So that not even a SIGKILL of the harness leaves it behind.
            _libc.prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
            os.sched_setaffinity(0, cpus)

        with log.open("wb") as output:
            # A session of its own: Ctrl-C reaches the harness alone, which then stops everything in order.
            self._popen = subprocess.Popen(
                self.argv, stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT,
                env={**os.environ, **(env or {})}, cwd=cwd, start_new_session=True,
                preexec_fn=prepare)  # noqa: PLW1509 - safe: the harness has one thread

    @property
    def pid(self) -> int:
        return self._popen.pid

    def running(self) -> bool:
        return self._popen.poll() is None

    def output(self) -> str:
        """Return what the program has printed so far."""
        return self.log.read_text(errors="replace")

    def wait(self, seconds: float) -> str:
        """Wait for the program to end by itself; return its output.

        Raises BenchmarkError when it is still running after ``seconds``, or ended with a fault.
        """
        try:
            status = self._popen.wait(seconds)
        except subprocess.TimeoutExpired:
            raise BenchmarkError(f"{self._name()} did not end within {seconds:.0f} s") from None
        if status:
            raise BenchmarkError(f"{self._name()} ended with status {status}: {self._tail()}")
        return self.output()

    def check(self) -> None:
        """Raise BenchmarkError when the program has ended."""
        if not self.running():
            raise BenchmarkError(f"{self._name()} ended early: {self._tail()}")

    def signal(self, number: int) -> None:
        """Send the program a signal."""
        self._popen.send_signal(number)

    def stop(self) -> None:
        """Stop the program and whatever it started: SIGTERM, then SIGKILL after three seconds."""
        everyone = family(self.pid) if self.running() else []
        if self.running():
            self._popen.terminate()
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._popen.wait(_STOP_SECONDS)
        if self.running():
            self._popen.kill()
            self._popen.wait()
        for pid in everyone:
            if pid != self.pid and session_of(pid) == self.pid:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def _name(self) -> str:
        return Path(self.argv[0]).name

    def _tail(self) -> str:
        lines = self.output().strip().splitlines()
        return " | ".join(line.strip() for line in lines[-2:]) or "it printed nothing"


def _stat_fields(pid: int) -> list[str]:
    """Return the fields of /proc/PID/stat after the command's name (the state first); none for a gone pid."""
    try:
        text = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return []
    return text.rpartition(")")[2].split()


def session_of(pid: int) -> int | None:
    fields = _stat_fields(pid)
    return int(fields[3]) if fields else None


def family(pid: int) -> list[int]:
    """Return a process and all its descendants."""
    children: dict[int, list[int]] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit() and (fields := _stat_fields(int(entry.name))):
            children.setdefault(int(fields[1]), []).append(int(entry.name))
    found = [pid]
    for member in found:
        found.extend(children.get(member, ()))
    return found


def wait_until(condition, seconds: float, what: str) -> None:
    """Poll ``condition`` until it holds; raise BenchmarkError naming ``what`` after ``seconds``."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            raise BenchmarkError(f"{what} did not happen within {seconds:.0f} s")
        time.sleep(0.01)
