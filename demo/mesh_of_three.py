"""Three services, each behind its sidecar, and their control plane, in a folder."""

import json
import subprocess
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, NamedTuple

from demo.processes import HOPMESH, START_LIMIT_S, DemoError, Program, command, free_ports
from mesh_cp.api.messages import ProxiesReply
from mesh_cp.cli.client import Client

MANIFESTS = Path("demo/mesh")


class Place(NamedTuple):
    """The ports of a service: its own, and those of its sidecar, for others and for the service."""

    app: int
    inbound: int
    outbound: int


class Member:
    """A service and its sidecar."""

    def __init__(self, name: str, following: str, place: Place, folder: Path) -> None:
        """`following`: the service that it asks; empty for none."""
        self.name, self.place = name, place
        config = folder / f"{name}.yaml"
        config.write_text(json.dumps(_sidecar(name, following, place, folder), indent=2))
        asks = (following, place.outbound) if following else ()
        self.app = Program(
            name, [HOPMESH[0], "-m", "demo.service", name, place.app, *asks], folder / f"{name}-app.log"
        )
        self.sidecar = Program(f"{name}'s sidecar", [*HOPMESH, "proxy", "-c", config], folder / f"{name}-sidecar.log")

    def describe(self) -> str:
        """In a line."""
        return (
            f"{self.name:7} pid {self.app.process.pid}, on port {self.place.app}; its sidecar: "
            f"pid {self.sidecar.process.pid}, takes requests for it on {self.place.inbound}, and its own on "
            f"{self.place.outbound}"
        )


def _sidecar(name: str, following: str, place: Place, folder: Path) -> dict[str, Any]:
    """The whole configuration of a sidecar: the rest comes from the control plane."""
    workload = {
        "service": name,
        "port": 8080,
        "port_name": "http",
        "listen": f"127.0.0.1:{place.inbound}",
        "app": f"127.0.0.1:{place.app}",
        "version": "v1",
    }
    return {
        "admin": {"address": "127.0.0.1:0"},
        "workers": 1,
        "drain_timeout_ms": 2000,
        "access_log": {"path": str(folder / f"{name}-access.log")},
        "control_plane": {
            "addresses": [f"unix:{folder}/channel.sock"],
            "node": f"{name}-1",
            "outbound": f"127.0.0.1:{place.outbound}",
            "dials": [following] if following else [],
            "workloads": [workload],
            "state": str(folder / f"{name}.state"),
        },
    }


class Mesh:
    """All of them; begun by its making, and ended by `stop`."""

    def __init__(self, folder: Path, names: tuple[str, ...]) -> None:
        """Each of `names` asks the next one."""
        self.server = f"unix:{folder}/api.sock"
        arguments = ("control-plane", "--listen", self.server, "--data-dir", folder / "store")
        self.control_plane = Program("the control plane", [*HOPMESH, *arguments], folder / "control-plane.log")
        ports = free_ports(3 * len(names))
        self.members = [
            Member(name, following, Place(*ports[3 * index : 3 * index + 3]), folder)
            for index, (name, following) in enumerate(zip(names, (*names[1:], ""), strict=True))
        ]
        self.entry = f"127.0.0.1:{self.members[0].place.inbound}"
        """Where others ask the first of them."""

    def hopmesh(self, *arguments: str) -> str:
        """Run a command to its end; what it prints. Raises DemoError."""
        done = subprocess.run(
            [*HOPMESH, *arguments, "--server", self.server], capture_output=True, text=True, timeout=START_LIMIT_S,
            check=False,
        )  # fmt: skip
        if done.returncode:
            raise DemoError(f"{command(*arguments)}: {done.stderr or done.stdout}")
        return done.stdout

    def wait_in_sync(self) -> None:
        """Wait until every sidecar is there, and has all that it should have. Raises DemoError."""
        client, end = Client(self.server), time.monotonic() + START_LIMIT_S
        while time.monotonic() < end:
            proxies = client.get("/v1/proxies", ProxiesReply).proxies
            if sum(each.connected and each.in_sync for each in proxies) == len(self.members):
                return
            time.sleep(0.02)
        raise DemoError(f"not every sidecar is in sync: {proxies}")

    def stop(self) -> dict[str, int]:
        """The exit code of each hopmesh process, by its name."""
        sidecars = [member.sidecar for member in self.members]
        with ThreadPoolExecutor() as pool:
            codes = {each.name: pool.submit(each.stop) for each in sidecars}
        ended = {name: code.result() for name, code in codes.items()}
        ended[self.control_plane.name] = self.control_plane.stop()
        for member in self.members:
            member.app.stop()
        return ended
