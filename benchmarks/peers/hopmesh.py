"""hopmesh itself, run from this repository by the Python that runs the benchmark."""

import importlib.util
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmarks.certificates import NAME, Credentials
from benchmarks.paths import ROOT, SOURCES
from benchmarks.peers.base import ACCESS_LOG, Hop, Launch, Mode, Plan
from benchmarks.peers.policies import CLUSTER, LISTENER_HTTP, PROCESS, ROUTE

_CONFIG = """\
workers: 1
listeners: [{{name: in, address: "127.0.0.1:{listen_port}", protocol: {protocol}, {destination}{tls_in}}}]
clusters: [{{name: app, {endpoints}{tls_out}}}]
{log}"""
_LOG = "access_log: {{path: {path}, format: json}}\n"
_CERTIFICATE = "certificate: {certificate}, key: {key}, trusted_ca: {authority}, min_version: \"1.3\""


class Hopmesh:
    name = "hopmesh"
    modes = frozenset(Mode)

    def missing(self) -> str | None:
        try:
            found = importlib.util.find_spec("mesh_core.cli")
        except ModuleNotFoundError:
            found = None
        return None if found else "not built for this Python: pip install -e . (or `make compile`)"

    def version(self) -> str:
        from mesh_core._version import __version__  # noqa: PLC0415 - absent where hopmesh is not installed

        return f"hopmesh {__version__}, Python {sys.version.split()[0]}"

    def launches(self, plan: Plan) -> list[Launch]:
        return [self._launch(plan, hop) for hop in plan.hops()]

    def _launch(self, plan: Plan, hop: Hop) -> Launch:
        path = plan.directory / f"hopmesh-{hop.name}.yaml"
        argv = [*self._command(), "proxy", "--config", str(path)]
        return Launch(argv, hop.listen_port, {path.name: self.config(plan, hop)}, _ENVIRONMENT)

    def config(self, plan: Plan, hop: Hop) -> str:
        """Return the configuration file of one process."""
        return _CONFIG.format(
            listen_port=hop.listen_port, protocol="http" if hop.http else "tcp", destination=self._destination(),
            endpoints=self._endpoints(hop),
            log=_LOG.format(path=json.dumps(str(plan.directory / ACCESS_LOG))) if hop.log else "",
            tls_in=_listener_tls(plan.credentials, hop.tickets) if hop.tls_in and plan.credentials else "",
            tls_out=_cluster_tls(plan.credentials) if hop.tls_out and plan.credentials else "")

    def _destination(self) -> str:
        return "cluster: app"

    def _endpoints(self, hop: Hop) -> str:
        return f'endpoints: ["127.0.0.1:{hop.upstream_port}"]'

    def _command(self) -> list[str]:
        return [sys.executable, "-m", "mesh_core.cli"]


class HopmeshWithHog(Hopmesh):
    """hopmesh with one more Python thread, which holds the GIL while the file ``switch`` exists."""

    def __init__(self, switch: Path):
        self._switch = switch

    def _command(self) -> list[str]:
        return [sys.executable, str(SOURCES / "tools" / "gil_hog.py"), str(self._switch)]


class HopmeshBalancing(Hopmesh):
    """hopmesh with a load balancer of choice over addresses at which one and the same origin is reached."""

    def __init__(self, load_balancer: str, addresses: Sequence[str]):
        self._load_balancer, self._addresses = load_balancer, addresses

    def _endpoints(self, hop: Hop) -> str:
        endpoints = json.dumps([f"{address}:{hop.upstream_port}" for address in self._addresses])
        return f"load_balancer: {self._load_balancer}, endpoints: {endpoints}"


class HopmeshPolicies(Hopmesh):
    """hopmesh with everything configured that a request may need to survive, and nothing that happens to it."""

    def config(self, plan: Plan, hop: Hop) -> str:
        return super().config(plan, hop) + "".join(f"{name}: {json.dumps(value)}\n" for name, value in PROCESS.items())

    def _destination(self) -> str:
        routes = [{"name": "all", "cluster": "app", **ROUTE}]
        return f"routes: {json.dumps(routes)}, http: {json.dumps(LISTENER_HTTP)}"

    def _endpoints(self, hop: Hop) -> str:
        settings = ", ".join(f"{name}: {json.dumps(value)}" for name, value in CLUSTER.items())
        return f"{super()._endpoints(hop)}, {settings}"


class HopmeshRoutes(Hopmesh):
    """hopmesh with so many virtual hosts, each with so many routes, half of them by exact path, half by prefix."""

    def __init__(self, virtual_hosts: int, routes: int):
        self._virtual_hosts = [
            {"name": f"host-{host}", "hosts": [route_host(host)],
             "routes": [_route(route) for route in range(routes)]}
            for host in range(virtual_hosts)]

    def _destination(self) -> str:
        return f"virtual_hosts: {json.dumps(self._virtual_hosts)}"


def route_host(virtual_host: int) -> str:
    """Return the name by which one of HopmeshRoutes' virtual hosts is asked for."""
    return f"service-{virtual_host}.mesh.local"


def route_path(route: int) -> str:
    """Return a path that leads to one of a virtual host's routes and to no other."""
    return f"/api/v1/resource-{route}" + ("" if route % 2 else "/items/17")


def _route(route: int) -> dict[str, Any]:
    kind = "exact" if route % 2 else "prefix"
    return {"name": f"route-{route}", "matches": [{"path": {kind: f"/api/v1/resource-{route}"}}], "cluster": "app"}


def _certificate(credentials: Credentials) -> str:
    # JSON's strings are YAML's too: a path may contain anything.
    return _CERTIFICATE.format(
        certificate=json.dumps(str(credentials.certificate)), key=json.dumps(str(credentials.key)),
        authority=json.dumps(str(credentials.authority)))


def _listener_tls(credentials: Credentials, tickets: bool) -> str:
    return (f", tls: {{{_certificate(credentials)}, require_client_certificate: true, "
            f"cipher_suites: [TLS_AES_128_GCM_SHA256], groups: [X25519], session_tickets: {json.dumps(tickets)}}}")


def _cluster_tls(credentials: Credentials) -> str:
    return f", tls: {{{_certificate(credentials)}, server_name: {NAME}, session_resumption: false}}"


# So that a checkout that was built in place is found from whatever directory the proxy starts in.
_ENVIRONMENT = {"PYTHONPATH": str(ROOT)}
