"""Active health checks that make a TLS handshake."""

from __future__ import annotations

import ssl
import threading
from collections.abc import Callable, Iterator

import pytest

from tests.integration.tls.conftest import Pki
from tests.support.certificates import Authority
from tests.support.peer import Origin
from tests.support.running_proxy import RunningProxy
from tests.support.tls_peer import server_context
from tests.support.waiting import LIMIT_S, wait_until

Serve = Callable[..., RunningProxy]

CHECK = {
    "type": "tls", "interval_ms": 10, "interval_jitter_percent": 0, "send": {"text": "?"}, "receive": [{"text": "ok"}],
}


class TlsAnswering:
    """An origin that shakes hands and answers `answer` to what comes, in a thread of its own, until closed."""

    def __init__(self, context: ssl.SSLContext, answer: bytes = b"ok") -> None:
        self.context = context
        self.answer = answer
        self._origin = Origin()
        self._origin.socket.settimeout(0.05)
        self.address = self._origin.address
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def _run(self) -> None:
        while not self._closing.is_set():
            try:
                connection, _ = self._origin.socket.accept()
            except TimeoutError:
                continue
            connection.settimeout(LIMIT_S)
            try:
                with self.context.wrap_socket(connection, server_side=True) as tls:
                    if tls.recv(100):
                        tls.sendall(self.answer)
            except OSError:
                connection.close()

    def close(self) -> None:
        self._closing.set()
        self._thread.join()
        self._origin.close()


@pytest.fixture
def answering() -> Iterator[Callable[..., TlsAnswering]]:
    """Makes origins that speak TLS."""
    made: list[TlsAnswering] = []

    def make(*arguments: object) -> TlsAnswering:
        made.append(TlsAnswering(*arguments))  # type: ignore[arg-type]
        return made[-1]

    yield make
    for each in made:
        each.close()


def test_only_good_certificates_are_healthy(
    serve: Serve, answering: Callable[..., TlsAnswering], pki: Pki
) -> None:
    stranger = pki.write(Authority("stranger").issue("stranger", dns_names=["peer.mesh.local"]), "stranger")
    misnamed = pki.write(pki.root.issue("misnamed", dns_names=["other.mesh.local"]))
    contexts = [server_context(each, pki.trusted_ca) for each in (pki.peer, stranger, misnamed)]
    good, *bad = [answering(each) for each in contexts]
    proxy = serve(
        good.address, *[each.address for each in bad], cluster={"tls": pki.cluster(), "health_checks": [CHECK]}
    )
    gauges = proxy.gauges()
    assert (gauges["membership_total"], gauges["membership_healthy"], gauges["health_check.healthy"]) == (3, 1, 1)
    counted = proxy.stats("health_check", "app")
    assert counted["success"] >= 1
    assert counted["failure"] >= 2
    assert counted["network_failure"] == 0


def test_the_answer_counts(serve: Serve, answering: Callable[..., TlsAnswering], pki: Pki) -> None:
    origin = answering(server_context(pki.peer, pki.trusted_ca), b"no")
    proxy = serve(origin.address, cluster={"tls": pki.cluster(), "health_checks": [CHECK]})
    assert proxy.gauges()["health_check.healthy"] == 0
    origin.answer = b"now it is ok"
    wait_until(lambda: proxy.gauges()["health_check.healthy"] == 1, "it is healthy")


def test_an_endpoint_without_tls_is_unhealthy(serve: Serve, origin: Origin, pki: Pki) -> None:
    """It closes what it does not understand."""

    def close_all() -> None:
        with origin.accept() as connection:
            connection.receive_what_comes()

    check = CHECK | {"interval_ms": 60_000}
    thread = threading.Thread(target=close_all)
    thread.start()
    proxy = serve(origin.address, cluster={"tls": pki.cluster(), "health_checks": [check]})
    thread.join()
    wait_until(lambda: proxy.stats("health_check", "app")["failure"] == 1, "the check failed")
    assert proxy.gauges()["health_check.healthy"] == 0


def test_http_over_tls(serve: Serve, answering: Callable[..., TlsAnswering], pki: Pki) -> None:
    """As the cluster's tls says, whatever protocols that offers; a certificate that is not good fails the check."""
    answer = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
    stranger = pki.write(Authority("stranger").issue("stranger", dns_names=["peer.mesh.local"]), "stranger")
    contexts = [server_context(each, pki.trusted_ca) for each in (pki.peer, stranger)]
    for context in contexts:
        context.set_alpn_protocols(["h2", "http/1.1"])
    good, bad = (answering(context, answer) for context in contexts)
    check = {"type": "http", "interval_ms": 10, "http": {"path": "/"}, "receive": [{"text": "ok"}]}
    tls = pki.cluster() | {"alpn": ["h2", "http/1.1"]}
    proxy = serve(good.address, bad.address, cluster={"tls": tls, "health_checks": [check]})
    assert proxy.gauges()["health_check.healthy"] == 1
    assert proxy.stats("health_check", "app")["success"] >= 1
    good.answer = answer.replace(b"200", b"500")
    wait_until(lambda: proxy.gauges()["health_check.healthy"] == 0, "it fails")
