"""nginx with one worker process and its stream module."""

import shutil
import subprocess
from pathlib import Path

from benchmarks.certificates import NAME, Credentials
from benchmarks.peers.base import Hop, Launch, Mode, Plan, first_line

_STREAM_MODULE = "ngx_stream_module.so"
_MODULE_DIRECTORIES = ("/usr/lib/nginx/modules", "/usr/lib64/nginx/modules", "/usr/local/nginx/modules")

_CONFIG = """\
{load_module}
daemon off;
# As whom it was started; ignored unless that is root.
user root;
worker_processes 1;
worker_rlimit_nofile {descriptors};
pid {directory}/nginx-{name}.pid;
error_log {directory}/nginx-{name}.error.log warn;

events {{
    worker_connections {connections};
}}

stream {{
    access_log off;
    upstream next {{
        server 127.0.0.1:{upstream_port};
    }}
    server {{
        listen 127.0.0.1:{listen_port}{ssl};
        proxy_pass next;
        proxy_timeout 1h;
{tls}    }}
}}
"""
_TLS_IN = """\
        ssl_certificate {certificate};
        ssl_certificate_key {key};
        ssl_client_certificate {authority};
        ssl_verify_client on;
        ssl_protocols TLSv1.3;
        ssl_ecdh_curve X25519;
        ssl_conf_command Ciphersuites TLS_AES_128_GCM_SHA256;
"""
_NO_TICKETS = """\
        ssl_session_tickets off;
        # Else TLS 1.3 would issue tickets that name an entry of a cache.
        ssl_conf_command NumTickets 0;
"""
_TLS_OUT = """\
        proxy_ssl on;
        proxy_ssl_certificate {certificate};
        proxy_ssl_certificate_key {key};
        proxy_ssl_trusted_certificate {authority};
        proxy_ssl_verify on;
        proxy_ssl_name {peer};
        proxy_ssl_server_name on;
        proxy_ssl_session_reuse off;
        proxy_ssl_protocols TLSv1.3;
        proxy_ssl_conf_command Groups X25519;
        proxy_ssl_conf_command Ciphersuites TLS_AES_128_GCM_SHA256;
"""


class Nginx:
    name = "nginx"
    modes = frozenset(Mode)

    def missing(self) -> str | None:
        if not self._program():
            return "not installed: apt install nginx libnginx-mod-stream"
        if not self._built_in() and not self._module():
            return "has no stream module: apt install libnginx-mod-stream"
        return None

    def version(self) -> str:
        return first_line(self._build())

    def launches(self, plan: Plan) -> list[Launch]:
        load_module = "" if self._built_in() else f"load_module {self._module()};"
        return [self._launch(plan, hop, load_module) for hop in plan.hops()]

    def _launch(self, plan: Plan, hop: Hop, load_module: str) -> Launch:
        path = plan.directory / f"nginx-{hop.name}.conf"
        errors = plan.directory / f"nginx-{hop.name}.error.log"
        argv = [self._program(), "-c", str(path), "-p", str(plan.directory), "-e", str(errors)]
        return Launch(argv, hop.listen_port, {path.name: self.config(plan, hop, load_module)})

    @staticmethod
    def config(plan: Plan, hop: Hop, load_module: str) -> str:
        """Return one process's file; a session takes two of nginx's connections, a few serve itself."""
        connections = plan.sessions * 2 + 16
        return _CONFIG.format(
            load_module=load_module, descriptors=connections + 64, connections=connections,
            directory=plan.directory, name=hop.name, listen_port=hop.listen_port, upstream_port=hop.upstream_port,
            ssl=" ssl" if hop.tls_in else "", tls=_tls(plan.credentials, hop) if plan.credentials else "")

    @staticmethod
    def _program() -> str:
        return shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin:/usr/local/sbin") or ""

    def _build(self) -> str:
        return subprocess.run([self._program(), "-V"], capture_output=True, text=True, check=True).stderr

    def _built_in(self) -> bool:
        return "--with-stream" in self._build().split()

    @staticmethod
    def _module() -> Path | None:
        candidates = (Path(directory) / _STREAM_MODULE for directory in _MODULE_DIRECTORIES)
        return next((path for path in candidates if path.exists()), None)


def _tls(credentials: Credentials, hop: Hop) -> str:
    text = (_TLS_IN if hop.tls_in else "") + (_TLS_OUT if hop.tls_out else "")
    if hop.tls_in and not hop.tickets:
        text += _NO_TICKETS
    return text.format(
        certificate=credentials.certificate, key=credentials.key, authority=credentials.authority, peer=NAME)
