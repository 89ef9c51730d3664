"""socat and openssl through the proxy: Unix sockets, IPv6, half-closes, bytes that are none of its business."""

import random
import socket
import subprocess
from pathlib import Path

import pytest

from tests.support.process import one_listener, running, stop_process, until
from tests.support.process_programs import child, program, run_program, wait_for_socket
from tests.support.process_traffic import ask, connect, has_ipv6, receive_all


def socat_target(address: str) -> str:
    """An address in socat's words."""
    if address.startswith("unix:@"):
        return "ABSTRACT-CONNECT:" + address.removeprefix("unix:@")
    if address.startswith("unix:"):
        return "UNIX-CONNECT:" + address.removeprefix("unix:")
    return ("TCP6:" if address.startswith("[") else "TCP4:") + address


@pytest.mark.parametrize("kind", ["IPv4", "IPv6", "unix", "abstract"])
def test_a_half_close_reaches_the_origin_and_the_answer_comes_back(folder: Path, kind: str) -> None:
    """The origin counts to the end of its input before it says a word, so only a half-close gets an answer."""
    if kind == "IPv6" and not has_ipv6():
        pytest.skip("this machine has no IPv6 loopback")
    address = {
        "IPv4": "127.0.0.1:0",
        "IPv6": "[::1]:0",
        "unix": f"unix:{folder}/in.sock",
        "abstract": f"unix:@{folder.name}",
    }[kind]
    socat, path, log = program("socat"), folder / "origin.sock", folder / "socat.log"
    data = random.Random(4).randbytes(3_000_000)
    listening = [socat, "-t", "20", f"UNIX-LISTEN:{path},fork", "SYSTEM:cksum"]
    with child(listening, log) as origin:
        wait_for_socket(path, origin, log)
        with running(folder, one_listener(f"unix:{path}", address)) as proxy:
            answer = run_program([socat, "-t", "20", "-", socat_target(proxy.address())], data)
    assert answer == run_program(["cksum"], data)


def test_an_ipv6_origin(folder: Path) -> None:
    if not has_ipv6():
        pytest.skip("this machine has no IPv6 loopback")
    with socket.create_server(("::1", 0), family=socket.AF_INET6) as listening:
        address = f"[::1]:{listening.getsockname()[1]}"
        with running(folder, one_listener(address)) as proxy, connect(proxy.address()) as client:
            accepted, _ = listening.accept()
            with accepted:
                accepted.sendall(b"from IPv6")
                accepted.shutdown(socket.SHUT_WR)
                assert receive_all(client) == b"from IPv6"


def test_a_unix_socket_has_the_mode_asked_for_and_goes_with_the_process(folder: Path, echo: str) -> None:
    path = folder / "in.sock"
    config = one_listener(echo, f"unix:{path}")
    config["listeners"][0]["unix_mode"] = "0640"
    with running(folder, config) as proxy:
        assert path.stat().st_mode & 0o777 == 0o640
        with connect(f"unix:{path}") as client:
            ask(client, b"hello")
        assert proxy.stop() == 0
    assert not path.exists()


def test_tls_goes_through_untouched(folder: Path) -> None:
    """A handshake that is verified from end to end, and a page by it."""
    openssl = program("openssl")
    certificate, key = folder / "cert.pem", folder / "key.pem"
    run_program(
        [openssl, "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2",
         "-subj", "/CN=test", "-addext", "subjectAltName=DNS:test", "-keyout", key, "-out", certificate]
    )  # fmt: skip
    (folder / "page").write_bytes(b"0123456789" * 50_000)
    log = folder / "s_server.log"
    path = folder / "tls.sock"
    server = [openssl, "s_server", "-unix", path, "-cert", certificate, "-key", key, "-WWW"]
    with child(server, log) as origin:
        wait_for_socket(path, origin, log)
        with running(folder, one_listener(f"unix:{path}")) as proxy:
            client = [openssl, "s_client", "-connect", proxy.address(), "-CAfile", certificate, "-servername", "test",
                      "-verify_hostname", "test", "-verify_return_error", "-quiet", "-ign_eof"]  # fmt: skip
            answer = run_program(client, b"GET /page HTTP/1.0\r\n\r\n", check=False)
    assert answer.endswith(b"\r\n\r\n" + b"0123456789" * 50_000)


def test_a_client_that_is_killed_leaves_nothing_behind(folder: Path, echo: str) -> None:
    socat = program("socat")
    with running(folder, one_listener(echo)) as proxy:
        before = proxy.open_descriptors()
        clients = [
            subprocess.Popen([socat, "-", socat_target(proxy.address())], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
            for _ in range(5)
        ]
        try:
            for each in clients:
                assert each.stdin is not None and each.stdout is not None
                each.stdin.write(b"hello")
                each.stdin.flush()
                assert each.stdout.read(5) == b"hello"
        finally:
            for each in clients:
                stop_process(each)
        until(lambda: proxy.open_descriptors() == before, "every descriptor is given back")
