"""The control plane under test: ``hopmesh control-plane`` on a store and sockets in a folder."""

import asyncio
import json
import signal
import sys
import time
from pathlib import Path
from typing import Any, Self

from benchmarks.errors import BenchmarkError
from benchmarks.paths import ROOT
from benchmarks.processes import Program, wait_until
from benchmarks.usage import cpu_ns
from mesh_cp.api.messages import ApplyRequest, ChangeReply, File, ProxiesReply
from mesh_cp.cli.client import Client, ClientError

COMMAND = [sys.executable, "-m", "mesh_core.cli"]
ENVIRONMENT = {"PYTHONPATH": str(ROOT)}
_START_SECONDS, _WAIT_MS = 30.0, 60_000


class Plane:
    """A control plane that can be killed and started again. Use it as a context manager."""

    def __init__(self, folder: Path, cpus: frozenset[int]):
        self.channel = str(folder / "channel.sock")
        self._folder, self._cpus = folder, cpus
        self._api = f"unix:{folder}/api.sock"
        self._starts = 0
        self._program = self._start()

    def _start(self) -> Program:
        self._starts += 1
        argv = [*COMMAND, "control-plane", "--data-dir", str(self._folder / "data"), "--listen", self._api,
                "--channel", f"unix:{self.channel}"]
        log = self._folder / f"control-plane-{self._starts}.log"
        program = Program(argv, cpus=self._cpus, log=log, env=ENVIRONMENT, cwd=self._folder)

        def ready() -> bool:
            program.check()
            return '"ready"' in program.output()

        try:
            wait_until(ready, _START_SECONDS, "the control plane's start")
        except BaseException:
            program.stop()
            raise
        return program

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._program.stop()

    def kill(self) -> None:
        """As a power cut does, but for the disk."""
        self._program.signal(signal.SIGKILL)
        wait_until(lambda: not self._program.running(), _START_SECONDS, "the control plane's end")

    def start(self) -> None:
        """Another one on the same store."""
        self._program = self._start()

    # --- what it says ---

    def apply(self, text: str, *, wait: bool = True) -> ChangeReply:
        """Apply manifests; with ``wait``, until every proxy concerned has answered. Raises BenchmarkError."""
        request = ApplyRequest(files=(File("mesh.yaml", text),), wait_ms=_WAIT_MS if wait else 0)
        try:
            return Client(self._api).post("/v1/apply", request, ChangeReply, _WAIT_MS)
        except ClientError as error:
            raise BenchmarkError(f"nothing was applied: {error}") from error

    def in_sync(self) -> int:
        """Return how many proxies are connected and have all that they should have."""
        reply = Client(self._api).get("/v1/proxies", ProxiesReply)
        return sum(each.connected and each.in_sync for each in reply.proxies)

    async def all_in_sync(self, count: int, seconds: float) -> None:
        """Wait until so many proxies are. Raises BenchmarkError."""
        deadline = time.monotonic() + seconds
        found = 0
        while found < count:
            if time.monotonic() > deadline:
                raise BenchmarkError(f"only {found} of {count} proxies are in sync after {seconds:g} s")
            await asyncio.sleep(0.1)
            found = await asyncio.to_thread(self.in_sync)

    def events(self, name: str) -> list[dict[str, Any]]:
        """Return the events of that name in its log, since it was started last."""
        lines = [line for line in self._program.output().splitlines() if f'"{name}"' in line and line[:1] == "{"]
        return [event for event in map(json.loads, lines) if event.get("event") == name]

    # --- what it uses ---

    def cpu_ms(self) -> float:
        """Return the processor time that it has used."""
        return cpu_ns([self._program.pid]) / 1e6

    def memory_mib(self) -> tuple[float, float]:
        """Return its resident memory: now, and the most that it ever was."""
        fields = dict(
            line.split(":", 1) for line in Path(f"/proc/{self._program.pid}/status").read_text().splitlines()
        )
        return tuple(int(fields[name].split()[0]) / 1024 for name in ("VmRSS", "VmHWM"))  # type: ignore[return-value]
