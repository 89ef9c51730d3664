"""HAProxy with one thread."""

import shutil
import subprocess

from benchmarks.certificates import NAME
from benchmarks.peers.base import ACCESS_LOG, Hop, Launch, Mode, Plan, first_line

_CONFIG = """\
global
    nbthread 1
    maxconn {sessions}
{statistics}
defaults
    mode {mode}
    timeout connect 5s
    timeout client 1h
    timeout server 1h
    # Splice where HAProxy finds that it pays; without this line it never does.
    option splice-auto
{defaults}
listen in
    bind 127.0.0.1:{listen_port}{tls_in}
{captures}\
    server upstream 127.0.0.1:{upstream_port}{tls_out}
"""
# Any idle upstream connection serves any request, also a client's first.
_REUSE = """\
    http-reuse always
"""
# To standard output, a line at a time: HAProxy writes to no file, and this one has no JSON of its own. It escapes what
# is not captured by itself.
_LOG = """\
    option dontlognull
    log stdout format raw local0
    log-format '{"time":%Ts.%ms,"method":"%HM","path":"%HU","protocol":"%HV",\
"authority":"%[capture.req.hdr(0),json(utf8s)]","user_agent":"%[capture.req.hdr(1),json(utf8s)]",\
"response_code":%ST,"response_flags":"%ts","bytes_received":%U,"bytes_sent":%B,"duration":%Ta,\
"upstream_service_time":%Tr,"upstream_host":"%si:%sp","upstream_cluster":"%b",\
"downstream_remote_address":"%ci:%cp"}'
"""
_CAPTURES = """\
    http-request capture req.hdr(host) len 64
    http-request capture req.hdr(user-agent) len 64
"""
# Its counters cannot be turned off; this makes them readable.
_STATISTICS = """\
    stats socket {path}
"""
# What this HAProxy cannot say itself: the groups of a client, and that TLS 1.3 is to issue no tickets at all
# ("no-tls-tickets" turns them into such as name an entry of a cache).
_LIBSSL = """\
openssl_conf = init
[init]
ssl_conf = ssl
[ssl]
system_default = defaults
[defaults]
Groups = X25519
{tickets}"""
_TLS = " ssl crt {bundle} ca-file {authority} verify required ssl-min-ver TLSv1.3 ciphersuites TLS_AES_128_GCM_SHA256"


class HAProxy:
    name = "haproxy"
    modes = frozenset(Mode)

    def missing(self) -> str | None:
        return None if self._program() else "not installed: apt install haproxy"

    def version(self) -> str:
        output = subprocess.run([self._program(), "-v"], capture_output=True, text=True, check=True).stdout
        return first_line(output)

    def launches(self, plan: Plan) -> list[Launch]:
        return [self._launch(plan, hop) for hop in plan.hops()]

    def _launch(self, plan: Plan, hop: Hop) -> Launch:
        path = plan.directory / f"haproxy-{hop.name}.cfg"
        argv = [self._program(), "-db", "-q", "-f", str(path)]
        if hop.log:  # "quiet" would close the standard output
            argv = ["sh", "-c", f'exec "$@" >{ACCESS_LOG}', "sh", self._program(), "-db", "-f", str(path)]
        launch = Launch(argv, hop.listen_port, {path.name: self.config(plan, hop)})
        if plan.credentials:
            libssl = plan.directory / f"openssl-{hop.name}.cnf"
            launch.files[libssl.name] = _LIBSSL.format(tickets="" if hop.tickets else "NumTickets = 0\n")
            launch.env["OPENSSL_CONF"] = str(libssl)
        return launch

    @staticmethod
    def config(plan: Plan, hop: Hop) -> str:
        """Return the configuration file of one process."""
        tls_in = tls_out = ""
        if plan.credentials:
            tls = _TLS.format(bundle=plan.credentials.bundle, authority=plan.credentials.authority)
            tls_in = tls + " curves X25519" + ("" if hop.tickets else " no-tls-tickets")
            tls_out = f"{tls} verifyhost {NAME} sni str({NAME}) no-ssl-reuse"
        return _CONFIG.format(
            sessions=plan.sessions, mode="http" if hop.http else "tcp",
            statistics=_STATISTICS.format(path=plan.directory / "haproxy.sock") if hop.log else "",
            defaults=(_REUSE if hop.http else "") + (_LOG if hop.log else ""),
            captures=_CAPTURES if hop.log else "", listen_port=hop.listen_port, upstream_port=hop.upstream_port,
            tls_in=tls_in if hop.tls_in else "", tls_out=tls_out if hop.tls_out else "")

    @staticmethod
    def _program() -> str:
        return shutil.which("haproxy") or shutil.which("haproxy", path="/usr/sbin:/usr/local/sbin") or ""
