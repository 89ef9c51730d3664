"""nginx with one worker process and its stream module."""

import shutil
import subprocess
from pathlib import Path

from benchmarks.peers.base import Launch, Mode, Plan, first_line

_STREAM_MODULE = "ngx_stream_module.so"
_MODULE_DIRECTORIES = ("/usr/lib/nginx/modules", "/usr/lib64/nginx/modules", "/usr/local/nginx/modules")

_TCP = """\
{load_module}
daemon off;
# As whom it was started; ignored unless that is root.
user root;
worker_processes 1;
worker_rlimit_nofile {descriptors};
pid {directory}/nginx.pid;
error_log {directory}/error.log warn;

events {{
    worker_connections {connections};
}}

stream {{
    access_log off;
    upstream origin {{
        server 127.0.0.1:{origin_port};
    }}
    server {{
        listen 127.0.0.1:{listen_port};
        proxy_pass origin;
        proxy_timeout 1h;
    }}
}}
"""


class Nginx:
    name = "nginx"
    modes = frozenset({Mode.TCP})

    def missing(self) -> str | None:
        if not self._program():
            return "not installed: apt install nginx libnginx-mod-stream"
        if not self._built_in() and not self._module():
            return "has no stream module: apt install libnginx-mod-stream"
        return None

    def version(self) -> str:
        return first_line(self._build())

    def launches(self, plan: Plan) -> list[Launch]:
        config = self.config(plan, load_module="" if self._built_in() else f"load_module {self._module()};")
        path = plan.directory / "nginx.conf"
        errors = plan.directory / "error.log"
        argv = [self._program(), "-c", str(path), "-p", str(plan.directory), "-e", str(errors)]
        return [Launch(argv, {path.name: config})]

    @staticmethod
    def config(plan: Plan, load_module: str) -> str:
        """Return the configuration file; a session takes two of nginx's connections, a few serve itself."""
        connections = plan.sessions * 2 + 16
        return _TCP.format(
            load_module=load_module, descriptors=connections + 64, connections=connections,
            directory=plan.directory, listen_port=plan.listen_port, origin_port=plan.origin_port)

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
