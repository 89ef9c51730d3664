"""`hopmesh proxy` as a process of its own: started, read, signalled and always stopped.

Ports are never chosen here: a configuration asks for port 0, and the process's log says which it was given.
"""

from __future__ import annotations

import json
import os
import select
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any, Self

from click.testing import CliRunner

from mesh_core.cli import main

# Generous: a time-out ends a test that hangs, and says nothing of how fast the proxy is.
LIMIT_S = 20.0
REPOSITORY = Path(__file__).resolve().parents[2]
COMMAND = (sys.executable, "-m", "mesh_core.cli")

Event = dict[str, Any]


def until(condition: Callable[[], Any], what: str, limit_s: float = LIMIT_S) -> Any:
    """Ask `condition` again and again until it is true; returns what it gave. Fails after `limit_s`."""
    end = time.monotonic() + limit_s
    while not (value := condition()):
        if time.monotonic() > end:
            raise AssertionError(f"not within {limit_s} s: {what}")
        time.sleep(0.02)
    return value


@contextmanager
def short_folder() -> Iterator[Path]:
    """A directory with a short path, as Unix sockets need, which other users may enter, as PostgreSQL needs."""
    path = Path(tempfile.mkdtemp(prefix="hopmesh-"))
    path.chmod(0o755)
    yield path
    shutil.rmtree(path)


def stop_process(process: subprocess.Popen[Any]) -> None:
    """End a child that a test started, if it still runs, and reap it."""
    if process.poll() is None:
        process.kill()
    process.wait(LIMIT_S)
    for stream in (process.stdin, process.stdout, process.stderr):
        if stream is not None:
            stream.close()


def run_cli(*arguments: str | Path, limit_s: float = LIMIT_S) -> subprocess.CompletedProcess[str]:
    """Run the command to its end and take its output. It does not matter how it exits."""
    return subprocess.run(
        [*COMMAND, *(os.fspath(each) for each in arguments)],
        capture_output=True,
        check=False,
        text=True,
        timeout=limit_s,
        cwd=REPOSITORY,
        stdin=subprocess.DEVNULL,
    )


def call_cli(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    """As `run_cli`, within this process, which spares the start of one: for a command that asks another process."""
    result = CliRunner().invoke(main, [os.fspath(each) for each in arguments])
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return subprocess.CompletedProcess(arguments, result.exit_code, result.stdout, result.stderr)


def write_config(path: Path, config: dict[str, Any]) -> Path:
    """Write a configuration as an editor does, whole or not at all. JSON is YAML too."""
    beside = path.with_name(path.name + ".new")
    beside.write_text(json.dumps(config, indent=2))
    beside.rename(path)
    return path


def one_listener(upstream: str, address: str = "127.0.0.1:0", **more: Any) -> dict[str, Any]:
    """The configuration of most tests: listener "in", cluster "app", an admin endpoint, one worker."""
    return {
        "listeners": [{"name": "in", "address": address, "cluster": "app"}],
        "clusters": [{"name": "app", "endpoints": [upstream]}],
        "admin": {"address": "127.0.0.1:0"},
        "workers": 1,
        # A connection that a failed test left open holds the end up no longer than this.
        "drain_timeout_ms": 1000,
        **more,
    }


class ProxyProcess:
    """A running `hopmesh proxy`, and its log as events."""

    def __init__(
        self,
        config: Path,
        *arguments: str,
        stderr: int | None = None,
        under: Sequence[str] = (),
        environment: Mapping[str, str] | None = None,
    ) -> None:
        """`stderr`: where its log goes instead of here; then no event is ever seen. `under`: a command that runs it.

        `environment`: more variables.
        """
        self.config = config
        self.process = subprocess.Popen(
            [*under, *COMMAND, "proxy", "--config", config, *arguments],
            env={**os.environ, **(environment or {})},
            cwd=REPOSITORY,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE if stderr is None else stderr,
        )
        self.lines: list[bytes] = []
        self._arrived = threading.Condition()
        self._ended = False
        self._log_closed = threading.Event()
        self._reader: threading.Thread | None = None
        if stderr is None:
            assert self.process.stderr is not None
            self._reader = threading.Thread(target=self._read, args=(self.process.stderr,))
            self._reader.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Kill it, unless it has ended."""
        if self.process.poll() is None:
            self.process.kill()
        if self._reader is not None:
            self._reader.join()
        stop_process(self.process)

    # --- its log ---

    def _read(self, stream: IO[bytes]) -> None:
        poller = select.poll()
        poller.register(stream, select.POLLIN)
        rest = b""
        while not self._log_closed.is_set():
            if not poller.poll(50):
                continue
            part = os.read(stream.fileno(), 65536)
            if not part:
                break
            *whole, rest = (rest + part).split(b"\n")
            with self._arrived:
                self.lines += [line + b"\n" for line in whole]
                self._arrived.notify_all()
        stream.close()
        with self._arrived:
            self._ended = True
            self._arrived.notify_all()

    def close_log(self) -> None:
        """Read its log no further, and break the pipe that it writes to."""
        self._log_closed.set()
        assert self._reader is not None
        self._reader.join()

    @property
    def log(self) -> str:
        """Everything that it has written to standard error."""
        return b"".join(self.lines).decode("utf-8", "replace")

    def events(self, name: str, **fields: Any) -> list[Event]:
        """The events of that name, and with those fields, that its log has so far."""
        wanted = {"event": name, **fields}
        found = []
        for line in list(self.lines):
            if line.startswith(b"{"):
                event = json.loads(line)
                if wanted.items() <= event.items():
                    found.append(event)
        return found

    def wait_for(self, name: str, count: int = 1, **fields: Any) -> Event:
        """The event of that name, and with those fields, that is the `count`-th of its kind."""
        with self._arrived:
            self._arrived.wait_for(lambda: len(self.events(name, **fields)) >= count or self._ended, LIMIT_S)
        found = self.events(name, **fields)
        assert len(found) >= count, f"no event {name!r} {fields} in the log:\n{self.log}"
        return found[count - 1]

    def address(self, listener: str = "in") -> str:
        """Where a listener listens, as the log said last."""
        self.wait_for("listening", listener=listener)
        return str(self.events("listening", listener=listener)[-1]["address"])

    def port(self, listener: str = "in") -> int:
        """The port of a listener on an IP address."""
        return int(self.address(listener).rpartition(":")[2])

    @property
    def admin(self) -> str:
        """Where the admin endpoint listens, as the log said last."""
        self.wait_for("admin listening")
        return str(self.events("admin listening")[-1]["address"])

    # --- signals and the end ---

    def signal(self, number: signal.Signals) -> None:
        """Send it a signal."""
        self.process.send_signal(number)

    def reload(self, config: dict[str, Any] | None = None, outcome: str = "reloaded") -> Event:
        """Have the file read again, rewritten if `config` is given; returns the event that tells the outcome."""
        if config is not None:
            write_config(self.config, config)
        count = len(self.events(outcome)) + 1
        self.signal(signal.SIGHUP)
        return self.wait_for(outcome, count)

    def wait(self, limit_s: float = LIMIT_S) -> int:
        """Its exit code, once it has ended by itself."""
        try:
            code = self.process.wait(limit_s)
        except subprocess.TimeoutExpired:
            raise AssertionError(f"it has not ended within {limit_s} s; its log:\n{self.log}") from None
        if self._reader is not None:
            self._reader.join()
        return code

    def stop(self) -> int:
        """Have it drain and end; returns its exit code."""
        self.signal(signal.SIGTERM)
        return self.wait()

    def open_descriptors(self) -> int:
        """How many files it has open now."""
        return len(list(Path(f"/proc/{self.process.pid}/fd").iterdir()))


@contextmanager
def running(folder: Path, config: dict[str, Any], *arguments: str) -> Iterator[ProxyProcess]:
    """A proxy that is ready, with its configuration in `folder`/proxy.yaml; stopped at the end, come what may.

    A test that did not stop it itself gets it stopped in the regular way, which must work.
    """
    with ProxyProcess(write_config(folder / "proxy.yaml", config), *arguments) as proxy:
        proxy.wait_for("ready")
        yield proxy
        if proxy.process.poll() is None:
            assert proxy.stop() == 0
        # A fault of the program itself; what a test provokes on purpose is told as an event.
        assert "Traceback" not in proxy.log and "ResourceWarning" not in proxy.log, proxy.log
