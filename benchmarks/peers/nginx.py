"""nginx with one worker process, and its stream module for what is not HTTP."""

import shutil
import subprocess
from pathlib import Path

from benchmarks.certificates import NAME, Credentials
from benchmarks.peers.base import ACCESS_LOG, Hop, Launch, Mode, Plan, first_line

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

{block}"""
_STREAM = """\
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
# Connections are kept on both sides for as many requests as come; nothing is written to a temporary file.
_HTTP = """\
http {{
{access_log}    client_body_temp_path {directory};
    proxy_temp_path {directory};
    fastcgi_temp_path {directory};
    uwsgi_temp_path {directory};
    scgi_temp_path {directory};
    keepalive_timeout 1h;
    keepalive_requests 1000000000;
    upstream next {{
        server 127.0.0.1:{upstream_port};
        keepalive 256;
        keepalive_timeout 1h;
        keepalive_requests 1000000000;
    }}
    server {{
        listen 127.0.0.1:{listen_port}{ssl};
        location / {{
            proxy_pass {scheme}://next;
            proxy_http_version 1.1;
            proxy_set_header Connection "";
            proxy_set_header Host $http_host;
            proxy_max_temp_file_size 0;
        }}
{status}{tls}    }}
}}
"""
_NO_LOG = """\
    access_log off;
"""
_LOG = """\
    log_format fields escape=json '{{"time":$msec,"method":"$request_method","path":"$request_uri",'
        '"protocol":"$server_protocol","authority":"$http_host","user_agent":"$http_user_agent",'
        '"response_code":$status,"bytes_received":$request_length,"bytes_sent":$bytes_sent,'
        '"duration":$request_time,"upstream_service_time":"$upstream_header_time","upstream_host":"$upstream_addr",'
        '"downstream_remote_address":"$remote_addr:$remote_port"}}';
    access_log {directory}/{file} fields buffer=64k flush=1s;
"""
_STATUS = """\
        location = /stub_status {
            stub_status;
        }
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
_TLS_ON = """\
        proxy_ssl on;
"""
_TLS_OUT = """\
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
        log = _LOG.format(directory=plan.directory, file=ACCESS_LOG) if hop.log else _NO_LOG
        block = (_HTTP if hop.http else _STREAM).format(
            directory=plan.directory, listen_port=hop.listen_port, upstream_port=hop.upstream_port, access_log=log,
            status=_STATUS if hop.log else "", scheme="https" if hop.tls_out else "http",
            ssl=" ssl" if hop.tls_in else "", tls=_tls(plan.credentials, hop) if plan.credentials else "")
        return _CONFIG.format(
            load_module="" if hop.http else load_module, descriptors=connections + 64, connections=connections,
            directory=plan.directory, name=hop.name, block=block)

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
    text = (_TLS_IN if hop.tls_in else "")
    if hop.tls_out:
        # In a stream, TLS is turned on; with HTTP, the scheme says so.
        text += _TLS_OUT if hop.http else _TLS_ON + _TLS_OUT
    if hop.tls_in and not hop.tickets:
        text += _NO_TICKETS
    return text.format(
        certificate=credentials.certificate, key=credentials.key, authority=credentials.authority, peer=NAME)
