"""The proxy under test: hopmesh with an access log, an admin endpoint and a socket for hot restarts."""

import http.client
import json
import os
import signal
import socket
import subprocess
import sys
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from urllib.parse import quote

from benchmarks.errors import BenchmarkError
from benchmarks.network import free_port
from benchmarks.paths import ROOT
from benchmarks.processes import Program, family, wait_until
from benchmarks.survival import access_log

_SECONDS = 90.0  # for whatever the proxy is asked to do
_COMMAND = [sys.executable, "-m", "mesh_core.cli"]
_ENVIRONMENT = {"PYTHONPATH": str(ROOT)}
Settings = dict[str, Any]


class Sidecar(Program):
    """A running proxy, and all processes that take over from it. ``pid`` is that of the first, which stays."""

    def __init__(self, settings: Settings, directory: Path, cpus: frozenset[int]):
        """Start it and wait until it is ready. ``settings`` lack where it listens and where its log goes."""
        self.port, self.access_log = free_port(), _access_log(directory)
        self._directory, self._config = directory, directory / "proxy.yaml"
        self._write(settings)
        self.in_charge = 0
        super().__init__([*_COMMAND, "proxy", "--config", str(self._config)], cpus=cpus,
                         log=directory / "proxy.log", env=_ENVIRONMENT, cwd=directory)
        try:
            wait_until(self._ready, _SECONDS, "the proxy's start")
        except BaseException:
            self.stop()
            raise
        self.in_charge = self.pid

    def _ready(self) -> bool:
        self.check()
        return bool(self.events("ready"))

    def _write(self, settings: Settings) -> None:
        beside = self._config.with_suffix(".new")
        beside.write_text(json.dumps(whole(settings, self.port, self._directory), indent=1))
        beside.rename(self._config)

    # --- changes ---

    def reload(self, settings: Settings) -> None:
        """Have it go by other settings. What becomes of that its log says: ``reloaded``."""
        self._write(settings)
        self.signal(signal.SIGHUP)

    def begin_restart(self) -> subprocess.Popen[str]:
        """Have another process take over; returns the command that waits for that. `restarted` takes its outcome."""
        command = [*_COMMAND, "restart", "--address", f"unix:{self._directory}/restart.sock"]
        return subprocess.Popen(command, env={**os.environ, **_ENVIRONMENT}, cwd=self._directory, text=True,
                                stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)

    def restarted(self, command: subprocess.Popen[str]) -> int:
        """Wait for a restart; the id of the process that is in charge now. Raises BenchmarkError when it failed."""
        try:
            said, _ = command.communicate(timeout=_SECONDS)
        except subprocess.TimeoutExpired:
            command.kill()
            command.communicate()
            raise BenchmarkError(f"no restart within {_SECONDS:.0f} s") from None
        if command.returncode:
            raise BenchmarkError(f"a restart failed: {said.strip()}")
        self.in_charge = int(said.split()[2])
        return self.in_charge

    # --- what it says ---

    def events(self, name: str, **fields: Any) -> list[dict[str, Any]]:
        """Return the events of that name, and with those fields, in its log, and in those of its successors."""
        mark, found = f'"{name}"', []
        for line in self.output().splitlines():
            if mark in line and line.startswith("{"):
                event = json.loads(line)
                if {"event": name, **fields}.items() <= event.items():
                    found.append(event)
        return found

    def admin(self, target: str) -> bytes:
        """Return what the admin endpoint of the process in charge answers."""
        connection = _Admin(str(self._directory / "admin.sock"))
        try:
            connection.request("GET", target)
            response = connection.getresponse()
            data = response.read()
        except (OSError, http.client.HTTPException) as error:
            raise BenchmarkError(f"the admin endpoint does not answer {target}: {error}") from error
        finally:
            connection.close()
        if response.status != 200:
            raise BenchmarkError(f"the admin endpoint answers {response.status} to {target}")
        return data

    def stats(self, pattern: str) -> Counter[str]:
        """Return the statistics whose names match a regular expression."""
        pairs = (line.rsplit(": ", 1) for line in self.admin(f"/stats?filter={quote(pattern)}").decode().splitlines())
        return Counter({name: int(value) for name, value in pairs})

    # --- what it holds ---

    @property
    def processes(self) -> list[int]:
        """The ids of its processes: the first, the one in charge, and those that drain."""
        return family(self.pid)


def whole(settings: Settings, port: int, directory: Path) -> Settings:
    """Return the configuration that a scenario's settings are a part of; their ``listener`` has no address."""
    listener = {"name": "in", "address": f"127.0.0.1:{port}", "protocol": "http", **settings["listener"]}
    return {
        "listeners": [listener],
        "admin": {"address": f"unix:{directory}/admin.sock"},
        "restart": {"address": f"unix:{directory}/restart.sock", "timeout_ms": 60_000},
        "access_log": {"path": str(_access_log(directory)), "format": "text", "text_format": access_log.FORMAT},
        **{name: value for name, value in settings.items() if name != "listener"},
    }


def _access_log(directory: Path) -> Path:
    return directory / "access.log"


def descriptors(pid: int) -> Counter[str]:
    """Return the open descriptors of a process, by what they are; numbers that tell one from another are left out."""
    found: Counter[str] = Counter()
    for each in Path(f"/proc/{pid}/fd").iterdir():
        try:
            found[str(each.readlink()).partition(":[")[0]] += 1
        except OSError:
            continue  # closed meanwhile
    return found


def resident_bytes(pid: int) -> int:
    return int(Path(f"/proc/{pid}/statm").read_text(encoding="ascii").split()[1]) * 4096


def cluster(addresses: Sequence[str], **settings: Any) -> Settings:
    """Return the settings of the cluster ``app``."""
    return {"name": "app", "endpoints": list(addresses), **settings}


class _Admin(http.client.HTTPConnection):
    """HTTP over a Unix socket."""

    def __init__(self, path: str):
        super().__init__("localhost", timeout=_SECONDS)
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(_SECONDS)
        self.sock.connect(self._path)
