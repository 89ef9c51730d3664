"""TLS with what other people wrote: openssl's s_client and s_server, curl, nginx, HAProxy; and as operators see it."""

from __future__ import annotations

import json
import os
import random
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.integration.tls.conftest import Pki
from tests.support.process import LIMIT_S, one_listener, run_cli, running, stop_process, until, write_config
from tests.support.process_programs import child, nginx, program, run_program, wait_for_socket
from tests.support.process_traffic import admin

CONTENT = random.Random(3).randbytes(3_000_000)


@pytest.fixture
def pki(folder: Path) -> Pki:
    """An authority of the test's own; the programs may read its keys, whoever they run as."""
    return Pki(folder)


def with_tls(upstream: str, *, listener: dict[str, Any] | None = None, cluster: dict[str, Any] | None = None) -> Any:
    config = one_listener(upstream)
    config["listeners"][0]["tls"] = listener
    config["clusters"][0]["tls"] = cluster
    return config


def s_client(proxy_address: str, pki: Pki, *more: str) -> list[str]:
    own = ["-cert", pki.peer.certificate, "-key", pki.peer.key]
    verify = ["-CAfile", pki.trusted_ca, "-verify_return_error", "-verify_hostname", "proxy.mesh.local"]
    name = ["-servername", "proxy.mesh.local"]
    return [program("openssl"), "s_client", "-connect", proxy_address, *own, *verify, *name, *more]


class Conversation:
    """openssl s_client, and what it and its user say in turns."""

    def __init__(self, command: list[str]) -> None:
        self.process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
        )
        assert self.process.stdout is not None
        os.set_blocking(self.process.stdout.fileno(), False)
        self.heard = b""

    def say(self, line: bytes) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(line + b"\n")
        self.process.stdin.flush()

    def hear(self, words: bytes) -> None:
        """Wait for something that was not there before."""

        def more() -> bool:
            assert self.process.stdout is not None
            self.heard += self.process.stdout.read() or b""
            return words in self.heard

        until(more, f"{words!r} from s_client, which said {self.heard!r}")
        self.heard = self.heard.partition(words)[2]


@contextmanager
def talking(command: list[str]) -> Iterator[Conversation]:
    conversation = Conversation(command)
    try:
        yield conversation
    finally:
        stop_process(conversation.process)


@pytest.mark.parametrize("version", ["-tls1_2", "-tls1_3"])
def test_s_client(folder: Path, echo: str, pki: Pki, version: str) -> None:
    config = with_tls(echo, listener=pki.listener())
    with running(folder, config) as proxy, talking(s_client(proxy.address(), pki, version)) as conversation:
        conversation.hear(b"Verification: OK")
        conversation.say(b"hello")
        conversation.hear(b"hello")
        conversation.say(b"Q")
        assert conversation.process.wait(LIMIT_S) == 0


def test_key_updates(folder: Path, echo: str, pki: Pki) -> None:
    """K asks for new keys of both sides, k changes the client's alone (RFC 8446, section 4.6.3)."""
    command = s_client("", pki, "-tls1_3")
    with running(folder, with_tls(echo, listener=pki.listener())) as proxy:
        command[command.index("")] = proxy.address()
        with talking(command) as conversation:
            conversation.hear(b"Verification: OK")
            for number in range(5):
                for request in (b"K", b"k"):
                    conversation.say(request)
                    conversation.hear(b"KEYUPDATE")
                    words = b"after %s %d" % (request, number)
                    conversation.say(words)
                    conversation.hear(words)
            conversation.say(b"Q")
            assert conversation.process.wait(LIMIT_S) == 0


def test_renegotiation_is_refused(folder: Path, echo: str, pki: Pki) -> None:
    with running(folder, with_tls(echo, listener=pki.listener())) as proxy:
        with talking(s_client(proxy.address(), pki, "-tls1_2")) as conversation:
            conversation.hear(b"Verification: OK")
            conversation.say(b"R")
            conversation.hear(b"no renegotiation")
        stats = admin(proxy.admin, "/stats?filter=ssl.handshake").text
        assert "listener.in.ssl.handshake: 1\n" in stats


def test_sessions_of_s_client(folder: Path, echo: str, pki: Pki) -> None:
    session = str(folder / "session.pem")
    with running(folder, with_tls(echo, listener=pki.listener())) as proxy:
        for more, words in ((["-sess_out", session], b"New, TLSv1.3"), (["-sess_in", session], b"Reused, TLSv1.3")):
            with talking(s_client(proxy.address(), pki, *more)) as conversation:
                conversation.hear(words)
                conversation.hear(b"Post-Handshake New Session Ticket arrived") if "-sess_out" in more else None
                conversation.say(b"words")
                conversation.hear(b"words")
                conversation.say(b"Q")
                assert conversation.process.wait(LIMIT_S) == 0


def test_s_client_with_a_foreign_certificate(folder: Path, echo: str, pki: Pki) -> None:
    (folder / "foreign").mkdir()
    foreign = Pki(folder / "foreign").peer
    with running(folder, with_tls(echo, listener=pki.listener())) as proxy:
        command = s_client(proxy.address(), pki, "-cert", foreign.certificate, "-key", foreign.key)
        with talking(command) as conversation:
            conversation.hear(b"alert")
            conversation.process.wait(LIMIT_S)


@pytest.mark.parametrize("version", ["-tls1_2", "-tls1_3"])
def test_s_server(folder: Path, pki: Pki, version: str) -> None:
    """It takes one connection, asks for a certificate, and turns every line round."""
    with free_port() as port:
        server = [program("openssl"), "s_server", "-accept", f"127.0.0.1:{port}", version, "-rev", "-no_anti_replay"]
        own = ["-cert", pki.peer.certificate, "-key", pki.peer.key]
        verify = ["-Verify", "3", "-verify_return_error", "-CAfile", pki.trusted_ca]
        with child([*server, *own, *verify], folder / "s_server.log"):
            config = with_tls(f"127.0.0.1:{port}", cluster=pki.cluster())
            with running(folder, config) as proxy:
                until(lambda: reversed_by(proxy.address()) == b"olleh\n", "s_server answers")


def reversed_by(address: str) -> bytes:
    host, _, port = address.rpartition(":")
    try:
        with socket.create_connection((host, int(port)), LIMIT_S) as client:
            client.sendall(b"hello\n")
            return client.makefile("rb").readline()
    except ConnectionError:
        return b""


@contextmanager
def free_port() -> Iterator[int]:
    """A port of loopback that nobody has: for programs that cannot be asked which they were given."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    yield port


def curl(url: str, proxy_port: int, pki: Pki, *more: str) -> bytes:
    command = [program("curl"), "-sS", "--fail", "--max-time", "60", "--cacert", pki.trusted_ca]
    own = ["--cert", pki.peer.certificate, "--key", pki.peer.key]
    where = ["--connect-to", f"::127.0.0.1:{proxy_port}"]
    return run_program([*command, *own, *where, *more, url])


NGINX_TLS = """
daemon off;
master_process off;
pid {folder}/nginx-tls.pid;
error_log stderr warn;
events {{ worker_connections 256; }}
http {{
    access_log off;
    client_body_temp_path {folder}/u1;
    proxy_temp_path {folder}/u2;
    fastcgi_temp_path {folder}/u3;
    uwsgi_temp_path {folder}/u4;
    scgi_temp_path {folder}/u5;
    ssl_certificate {peer.certificate};
    ssl_certificate_key {peer.key};
    ssl_client_certificate {trusted_ca};
    ssl_verify_client on;
    server {{
        listen unix:{folder}/server.sock ssl;
        root {folder}/www;
    }}
    server {{
        listen unix:{folder}/client.sock;
        location / {{
            proxy_pass https://{upstream};
            proxy_http_version 1.1;
            proxy_ssl_certificate {peer.certificate};
            proxy_ssl_certificate_key {peer.key};
            proxy_ssl_trusted_certificate {trusted_ca};
            proxy_ssl_verify on;
            proxy_ssl_name proxy.mesh.local;
            proxy_ssl_server_name on;
        }}
    }}
}}
"""


@contextmanager
def nginx_tls(folder: Path, pki: Pki, upstream: str = "127.0.0.1:1") -> Iterator[None]:
    """nginx that serves over TLS at server.sock, and passes what comes to client.sock on to `upstream` over TLS."""
    (folder / "www").mkdir(exist_ok=True)
    config, log = folder / "nginx-tls.conf", folder / "nginx-tls.log"
    settings = {"folder": folder, "peer": pki.peer, "trusted_ca": pki.trusted_ca, "upstream": upstream}
    config.write_text(NGINX_TLS.format(**settings))
    with child([program("nginx"), "-p", folder, "-e", "stderr", "-c", config], log) as process:
        wait_for_socket(folder / "server.sock", process, log)
        yield


def test_curl_and_nginx(folder: Path, pki: Pki) -> None:
    """curl speaks TLS with the proxy, the proxy with nginx, certificates asked for at every hop."""
    with nginx_tls(folder, pki):
        (folder / "www/large").write_bytes(CONTENT)
        upstream = f"unix:{folder}/server.sock"
        with running(folder, with_tls(upstream, listener=pki.listener(), cluster=pki.cluster())) as proxy:
            for version in (["--tls-max", "1.2"], ["--tlsv1.3"]):
                got = curl("https://proxy.mesh.local/large", proxy.port(), pki, *version)
                assert got == CONTENT
            several = curl("https://proxy.mesh.local/large", proxy.port(), pki, "https://proxy.mesh.local/large")
            assert several == CONTENT * 2


def test_nginx_as_a_client(folder: Path, pki: Pki) -> None:
    """nginx verifies the proxy's certificate and name, and shows its own."""
    with nginx(folder) as origin:
        (folder / "www/large").write_bytes(CONTENT)
        config = with_tls(origin, listener=pki.listener())
        with running(folder, config) as proxy, nginx_tls(folder, pki, proxy.address()):
            command = [program("curl"), "-sS", "--fail", "--max-time", "60"]
            socket_path = str(folder / "client.sock")
            for _ in range(3):
                got = run_program([*command, "--unix-socket", socket_path, "http://proxy.mesh.local/large"])
                assert got == CONTENT
            # nginx resumes its session.
            stats = admin(proxy.admin, "/stats?filter=ssl.session_reused").text
            assert "listener.in.ssl.session_reused: 0" not in stats


HAPROXY = """
global
    ca-base {folder}
defaults
    mode tcp
    timeout connect 10s
    timeout client 60s
    timeout server 60s
listen server
    bind unix@{folder}/server.sock ssl crt {folder}/haproxy.pem ca-file {trusted_ca} verify required
    server origin unix@{folder}/nginx.sock
listen client
    bind unix@{folder}/client.sock
    server proxy {upstream} ssl crt {folder}/haproxy.pem ca-file {trusted_ca} verify required \
verifyhost proxy.mesh.local sni str(proxy.mesh.local)
"""


@contextmanager
def haproxy(folder: Path, pki: Pki, upstream: str = "127.0.0.1:1") -> Iterator[None]:
    """HAProxy that ends TLS at server.sock for nginx, and begins TLS at client.sock towards `upstream`."""
    pem, config, log = folder / "haproxy.pem", folder / "haproxy.cfg", folder / "haproxy.log"
    pem.write_bytes(Path(pki.peer.certificate).read_bytes() + Path(pki.peer.key).read_bytes())
    config.write_text(HAPROXY.format(folder=folder, trusted_ca=pki.trusted_ca, upstream=upstream))
    with child([program("haproxy"), "-db", "-f", config], log) as process:
        wait_for_socket(folder / "client.sock", process, log)
        yield


def test_haproxy_on_both_sides(folder: Path, pki: Pki) -> None:
    """curl, HAProxy's client, our proxy, HAProxy's server, nginx."""
    with nginx(folder) as _origin:
        (folder / "www/large").write_bytes(CONTENT)
        config = with_tls(f"unix:{folder}/server.sock", listener=pki.listener(), cluster=pki.cluster())
        with running(folder, config) as proxy, haproxy(folder, pki, proxy.address()):
            command = [program("curl"), "-sS", "--fail", "--max-time", "60"]
            for _ in range(3):
                got = run_program(
                    [*command, "--unix-socket", str(folder / "client.sock"), "http://proxy.mesh.local/large"]
                )
                assert got == CONTENT
            stats = admin(proxy.admin, "/stats?filter=ssl").text
            for words in ("listener.in.ssl.connection_error: 0", "cluster.app.ssl.connection_error: 0"):
                assert words in stats


# --- as operators see it ---


def test_the_admin_pages(folder: Path, echo: str, pki: Pki) -> None:
    config = with_tls(echo, listener=pki.listener(), cluster=pki.cluster())
    with running(folder, config) as proxy:
        told = json.loads(admin(proxy.admin, "/certs").body)["certificates"]
        assert [each.get("listener", each.get("cluster")) for each in told] == ["in", "app"]
        (leaf,) = told[0]["cert_chain"]
        assert (leaf["path"], leaf["subject"]) == (pki.proxy.certificate, "CN=proxy")
        assert leaf["subject_alt_names"] == [{"uri": "spiffe://mesh.local/proxy"}, {"dns": "proxy.mesh.local"}]
        assert leaf["days_until_expiration"] == "29"
        assert told[0]["ca_cert"][0]["subject"] == "CN=root"
        stats = admin(proxy.admin, "/stats").text
        assert "server.days_until_first_cert_expiring: 29\n" in stats
        assert "server.ssl_context_update_success: 1\n" in stats
        prometheus = admin(proxy.admin, "/stats/prometheus").text
        assert "hopmesh_days_until_first_cert_expiring 29\n" in prometheus
        dump = admin(proxy.admin, "/config_dump").text
        assert pki.proxy.key in dump
        for page in ("/certs", "/config_dump", "/stats", "/clusters?format=json"):
            assert "PRIVATE KEY" not in admin(proxy.admin, page).text


def test_without_tls_nothing_is_told(folder: Path, echo: str) -> None:
    with running(folder, one_listener(echo)) as proxy:
        assert json.loads(admin(proxy.admin, "/certs").body) == {"certificates": []}
        assert "cert_expiring" not in admin(proxy.admin, "/stats").text


def test_a_start_with_bad_files(folder: Path, echo: str, pki: Pki) -> None:
    Path(pki.proxy.key).write_text("-----BEGIN PRIVATE KEY-----\nhunter2\n-----END PRIVATE KEY-----\n")
    tls = {**pki.listener(), "trusted_ca": str(folder / "nowhere.pem")}
    done = run_cli("proxy", "--config", write_config(folder / "proxy.yaml", with_tls(echo, listener=tls)))
    assert done.returncode == 1
    assert "listeners[0].tls.trusted_ca: cannot read" in done.stderr
    assert "listeners[0].tls.key: no private key in PEM" in done.stderr
    assert "hunter2" not in done.stderr


def test_files_that_change_on_disk(folder: Path, echo: str, pki: Pki) -> None:
    with running(folder, with_tls(echo, listener=pki.listener())) as proxy:
        before = json.loads(admin(proxy.admin, "/certs").body)
        pki.issue("proxy")
        proxy.wait_for("certificates reloaded")
        assert json.loads(admin(proxy.admin, "/certs").body) != before
        Path(pki.proxy.certificate).write_text("nothing")
        refused = proxy.wait_for("changed certificates refused")
        assert "listeners[0].tls.certificate" in refused["faults"][0]
        assert "server.ssl_context_update_failure: 1\n" in admin(proxy.admin, "/stats").text
        proxy.reload(outcome="reload refused")
        pki.issue("proxy")
        proxy.reload()


def test_warnings(folder: Path, echo: str, pki: Pki) -> None:
    Path(pki.proxy.key).chmod(0o644)
    brief = pki.write(pki.root.issue("brief", days=(-20, 1)))
    tls = {**pki.listener(), "certificate": brief.certificate, "key": brief.key}
    config = with_tls(echo, listener=tls, cluster={**pki.cluster(), "trusted_ca": None, "insecure_skip_verify": True})
    with running(folder, config) as proxy:
        proxy.wait_for("certificate expires soon", listener="in", subject="CN=brief")
        proxy.wait_for("endpoints are not verified: insecure_skip_verify", cluster="app")
        proxy.wait_for(f'others can read the key in "{pki.proxy.key}"', cluster="app", level="warning")
