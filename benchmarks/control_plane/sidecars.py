"""Real proxies, and origins of this process behind them, all on Unix sockets of a folder."""

import asyncio
import json
from pathlib import Path
from typing import Self

from benchmarks.control_plane.plane import COMMAND, ENVIRONMENT
from benchmarks.errors import BenchmarkError
from benchmarks.processes import Program, wait_until

_START_SECONDS = 30.0
_LOAD_INTERVAL_SECONDS = 0.01

_SERVICE = """
apiVersion: v1
kind: Service
metadata: {{name: {name}}}
spec: {{selector: {{app: {name}}}, ports: [{{name: http, port: 80}}]}}
---
apiVersion: networking.istio.io/v1
kind: WorkloadEntry
metadata: {{name: {name}}}
spec: {{address: "unix://{path}", labels: {{app: {name}}}}}
"""


class Sidecar(Program):
    """A proxy whose workload dials a host; ``path`` is where it dials."""

    def __init__(self, node: str, host: str, channel: str, folder: Path, cpus: frozenset[int]):
        self.path = str(folder / f"{node}.out")
        config = folder / f"{node}.yaml"
        config.write_text(json.dumps({
            "workers": 1,
            "control_plane": {"addresses": [f"unix:{channel}"], "node": node, "outbound": f"unix:{self.path}",
                              "dials": [host]},
        }))
        argv = [*COMMAND, "proxy", "--config", str(config)]
        super().__init__(argv, cpus=cpus, log=folder / f"{node}.log", env=ENVIRONMENT, cwd=folder)

    def wait(self, seconds: float = _START_SECONDS) -> str:
        """Wait until it serves. Raises BenchmarkError."""

        def ready() -> bool:
            self.check()
            return '"ready"' in self.output()

        wait_until(ready, seconds, "a proxy's start")
        return self.output()


def service(name: str, origin: "Origin") -> str:
    """Return the manifests of a service whose endpoint is that origin."""
    return _SERVICE.format(name=name, path=origin.path)


class Origin:
    """Answers every request with its name, on a Unix socket."""

    def __init__(self, name: str, folder: Path):
        self.name, self.path = name, str(folder / f"{name}.sock")
        self._server: asyncio.Server | None = None

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_unix_server(self._serve, self.path)
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._server is not None
        self._server.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        answer = f"HTTP/1.1 200 OK\r\ncontent-length: {len(self.name)}\r\n\r\n{self.name}".encode()
        try:
            while await reader.readuntil(b"\r\n\r\n"):
                writer.write(answer)
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()


async def ask(path: str, host: str) -> str:
    """Return the body of what is answered at a socket to a request for a host. Raises BenchmarkError."""
    try:
        async with asyncio.timeout(5):
            reader, writer = await asyncio.open_unix_connection(path)
            try:
                writer.write(f"GET / HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\n\r\n".encode())
                return (await reader.read()).rpartition(b"\r\n\r\n")[2].decode()
            finally:
                writer.close()
    except (OSError, TimeoutError) as error:
        raise BenchmarkError(f"a proxy does not answer: {error}") from error


class Load:
    """A request through a proxy every few milliseconds, for as long as the context lasts."""

    def __init__(self, sidecar: Sidecar, origin: Origin, host: str):
        self._sidecar, self._origin, self._host = sidecar, origin, host
        self._task: asyncio.Task[None] | None = None
        self.requests = self.failed = 0
        """So many were asked; so many of them were answered wrongly, or not at all."""

    async def __aenter__(self) -> Self:
        self._task = asyncio.create_task(self._run())
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._task is not None
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)

    async def _run(self) -> None:
        while True:
            try:
                good = await ask(self._sidecar.path, self._host) == self._origin.name
            except BenchmarkError:
                good = False
            self.requests += 1
            self.failed += not good
            await asyncio.sleep(_LOAD_INTERVAL_SECONDS)
