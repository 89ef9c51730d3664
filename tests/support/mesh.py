"""A mesh of real processes: a control plane, and proxies that have everything from it. Workloads are of this process.

Everything listens on Unix sockets in a folder, so that no port is chosen.
"""

from __future__ import annotations

import signal
import threading
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from http.client import HTTPException
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, NamedTuple, Self

from mesh_cp.api.messages import ApplyRequest, ChangeReply, File, ProxiesReply
from mesh_cp.propagation import ProxyStatus
from tests.support.control_plane import ControlPlaneProcess
from tests.support.process import LIMIT_S, ProxyProcess, stop_process, until, write_config
from tests.support.process_traffic import UnixHTTPConnection


class App:
    """A workload: answers every request with its name, by 503 while it is not well."""

    def __init__(self, name: str) -> None:
        self.well = True
        app = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True

            def do_GET(self) -> None:
                body = name.encode()
                self.send_response(200 if app.well else 503)
                self.send_header("content-length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: object) -> None:
                """Say nothing."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.address = f"127.0.0.1:{self._server.server_address[1]}"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,))
        self._thread.start()

    def close(self) -> None:
        """Stop listening."""
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


class Answer(NamedTuple):
    """What came back."""

    status: int
    text: str


class Mesh:
    """Keeps what a test starts; use it as a context."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.sidecars: dict[str, ProxyProcess] = {}
        self._apps: list[App] = []
        self._all: list[ProxyProcess] = []
        self.control_plane = self._start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for proxy in self._all:
            proxy.close()
        stop_process(self.control_plane.process)
        for app in self._apps:
            app.close()

    # --- the control plane ---

    def _start(self) -> ControlPlaneProcess:
        control_plane = ControlPlaneProcess(self.folder)
        try:
            control_plane.wait_for("ready")
        except BaseException:
            stop_process(control_plane.process)
            raise
        return control_plane

    def kill_control_plane(self) -> None:
        """As a power cut does, but for the disk."""
        self.control_plane.process.kill()
        self.control_plane.process.wait(LIMIT_S)

    def start_control_plane(self) -> None:
        """Another one on the same store."""
        self.control_plane = self._start()

    def apply(self, text: str, *, wait: bool = True, dry_run: bool = False) -> ChangeReply:
        """Apply manifests; with `wait`, until every proxy concerned has answered."""
        wait_ms = int(LIMIT_S * 1000) if wait else 0
        request = ApplyRequest(files=(File("mesh.yaml", text),), wait_ms=wait_ms, dry_run=dry_run)
        return self.control_plane.client.post("/v1/apply", request, ChangeReply, wait_ms)

    def proxies(self) -> dict[str, ProxyStatus]:
        """What the control plane knows of proxies, by name."""
        return {each.name: each for each in self.control_plane.client.get("/v1/proxies", ProxiesReply).proxies}

    def wait_in_sync(self, *nodes: str) -> None:
        """Wait until these have all that they should have."""

        def are() -> bool:
            found = self.proxies()
            return all(node in found and found[node].connected and found[node].in_sync for node in nodes)

        until(are, f"{nodes} in sync")

    # --- workloads and their proxies ---

    def app(self, name: str) -> App:
        """Another workload."""
        self._apps.append(App(name))
        return self._apps[-1]

    def config(self, node: str, service: str = "", app: str = "", dials: tuple[str, ...] = ()) -> dict[str, Any]:
        """The configuration of a sidecar: before the workload at `app`, where there is one."""
        workloads = [{"service": service, "port": 8080, "port_name": "http", "listen": self.inbound(node), "app": app}]
        return {
            "workers": 1,
            "drain_timeout_ms": 1000,
            "control_plane": {
                "addresses": [self.control_plane.channel],
                "node": node,
                "outbound": f"unix:{self.folder}/{node}.out",
                "dials": list(dials),
                "workloads": workloads if service else [],
                "state": f"{self.folder}/{node}.state",
            },
        }

    def inbound(self, node: str) -> str:
        """Where others reach the workload of a sidecar."""
        return f"unix:{self.folder}/{node}.in"

    def sidecar(self, node: str, service: str = "", app: str = "", dials: tuple[str, ...] = ()) -> ProxyProcess:
        """Start the proxy `node`; one that has the name is not touched."""
        return self.start(node, self.config(node, service, app, dials))

    def start(self, node: str, config: dict[str, Any]) -> ProxyProcess:
        """The same, by a configuration."""
        path = write_config(self.folder / f"{node}.yaml", config)
        proxy = ProxyProcess(path, "--log-level", "debug")
        self._all.append(proxy)
        self.sidecars[node] = proxy
        proxy.wait_for("ready")
        return proxy

    def stop(self, node: str, number: signal.Signals = signal.SIGTERM) -> int:
        """End a proxy; its exit status."""
        proxy = self.sidecars.pop(node)
        proxy.signal(number)
        return proxy.process.wait(LIMIT_S)

    def wait_written(self, node: str, text: str) -> None:
        """Wait until the last good configuration of a sidecar has this."""
        state = self.folder / f"{node}.state"
        until(lambda: state.exists() and text.encode() in state.read_bytes(), f"{node} has written {text}")

    # --- traffic ---

    def connection(self, node: str) -> UnixHTTPConnection:
        """To where the workload of a sidecar dials."""
        return UnixHTTPConnection(f"{self.folder}/{node}.out")

    def ask(self, node: str, host: str, path: str = "/") -> Answer:
        """What the workload of that sidecar gets from a host."""
        connection = self.connection(node)
        try:
            return _ask(connection, host, path)
        finally:
            connection.close()

    def reaches(self, node: str, host: str, text: str) -> None:
        """Wait until that answers with this text."""

        def does() -> bool:
            with suppress(OSError):
                return self.ask(node, host) == (200, text)
            return False

        until(does, f"{node} reaches {text} as {host}")


def _ask(connection: UnixHTTPConnection, host: str, path: str) -> Answer:
    connection.request("GET", path, headers={"host": host})
    response = connection.getresponse()
    return Answer(response.status, response.read().decode())


class Load:
    """Requests without a pause from the workload of a sidecar, while the context lasts; every answer is counted."""

    def __init__(self, mesh: Mesh, node: str, host: str) -> None:
        self._mesh, self._node, self._host = mesh, node, host
        self._ending = threading.Event()
        self.answers: Counter[str] = Counter()
        """By text where the status is 200; by status, or by what went wrong, else."""
        self._thread = threading.Thread(target=self._run)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ending.set()
        self._thread.join()

    def _run(self) -> None:
        connection = self._mesh.connection(self._node)
        while not self._ending.is_set():
            try:
                answer = _ask(connection, self._host, "/")
                self.answers[answer.text if answer.status == 200 else str(answer.status)] += 1
            except (OSError, HTTPException) as error:
                self.answers[repr(error)] += 1
                connection.close()
        connection.close()

    def goes_on(self, condition: Callable[[], Any] = lambda: True, count: int = 20) -> None:
        """Wait until the condition holds and so many more requests were answered."""
        until(condition, "what the load waits for")
        before = self.answers.total()
        until(lambda: self.answers.total() >= before + count, "requests are answered")
