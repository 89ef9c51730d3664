"""HAProxy with one thread."""

import shutil
import subprocess

from benchmarks.peers.base import Launch, Mode, Plan, first_line

_TCP = """\
global
    nbthread 1
    maxconn {sessions}

defaults
    mode tcp
    timeout connect 5s
    timeout client 1h
    timeout server 1h
    # Splice where HAProxy finds that it pays; without this line it never does.
    option splice-auto

listen in
    bind 127.0.0.1:{listen_port}
    server origin 127.0.0.1:{origin_port}
"""


class HAProxy:
    name = "haproxy"
    modes = frozenset({Mode.TCP})

    def missing(self) -> str | None:
        return None if self._program() else "not installed: apt install haproxy"

    def version(self) -> str:
        output = subprocess.run([self._program(), "-v"], capture_output=True, text=True, check=True).stdout
        return first_line(output)

    def launches(self, plan: Plan) -> list[Launch]:
        config = _TCP.format(
            sessions=plan.sessions, listen_port=plan.listen_port, origin_port=plan.origin_port)
        path = plan.directory / "haproxy.cfg"
        return [Launch([self._program(), "-db", "-q", "-f", str(path)], {path.name: config})]

    @staticmethod
    def _program() -> str:
        return shutil.which("haproxy") or shutil.which("haproxy", path="/usr/sbin:/usr/local/sbin") or ""
