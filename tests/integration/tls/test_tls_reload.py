"""Certificates that change under a running proxy: new ones are taken, bad ones are not, no connection notices."""

from __future__ import annotations

import ssl
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509

from mesh_core.config import ConfigError
from mesh_core.control.tls.watch import TlsWatch
from tests.integration.tls.conftest import Pki
from tests.support.certificates import Authority, key_pem, new_key
from tests.support.configs import cluster, config, listener
from tests.support.peer import Origin, Peer
from tests.support.running_proxy import RunningProxy
from tests.support.streams import Background
from tests.support.tls_peer import TlsPeer, client_context, server_context, tls_accept, tls_connect
from tests.support.waiting import wait_until

Serve = Callable[..., RunningProxy]
Start = Callable[[dict[str, Any]], RunningProxy]

ROTATIONS = 30
CLIENTS = 3


@pytest.fixture(autouse=True)
def often(monkeypatch: pytest.MonkeyPatch) -> None:
    """Files are looked at more often than in earnest."""
    monkeypatch.setattr(TlsWatch, "INTERVAL_S", 0.02)


def serial(peer: TlsPeer) -> int:
    encoded = peer.tls.ssl.getpeercert(binary_form=True)
    assert encoded
    return x509.load_der_x509_certificate(encoded).serial_number


def serial_in(path: str) -> int:
    return x509.load_pem_x509_certificate(Path(path).read_bytes()).serial_number


def shown(proxy: RunningProxy, pki: Pki, context: ssl.SSLContext | None = None) -> int:
    """The serial number of the certificate that a new client is shown."""
    with tls_connect(proxy.address(), context or client_context(pki.trusted_ca, pki.peer)) as client:
        return serial(client)


def test_new_files_are_taken_unasked(serve: Serve, origin: Origin, pki: Pki) -> None:
    proxy = serve(origin.address, listener={"tls": pki.listener()})
    with tls_connect(proxy.address(), client_context(pki.trusted_ca, pki.peer)) as old, origin.accept() as server:
        for number in range(3):
            pki.issue("proxy")
            wait_until(lambda: shown(proxy, pki) == serial_in(pki.proxy.certificate), "the new certificate is shown")
            assert proxy.proxy.tls.updates == number + 2
            old.send(b"still there")
            assert server.receive(11) == b"still there"
    assert proxy.proxy.tls.failures == 0


def test_the_same_files_written_again_change_nothing(serve: Serve, origin: Origin, pki: Pki) -> None:
    proxy = serve(origin.address, listener={"tls": pki.listener()})
    version = proxy.proxy.snapshot_version
    for path in (pki.proxy.certificate, pki.proxy.key, pki.trusted_ca):
        Path(path).write_bytes(Path(path).read_bytes())
    wait_until(lambda: proxy.proxy.snapshot_version > version, "the files have been read")
    assert proxy.proxy.tls.updates == 1


def test_bad_files_change_nothing(serve: Serve, origin: Origin, pki: Pki) -> None:
    proxy = serve(origin.address, listener={"tls": pki.listener()})
    context = client_context(pki.trusted_ca, pki.peer)
    before = shown(proxy, pki, context)
    good = {path: Path(path).read_bytes() for path in (pki.proxy.certificate, pki.proxy.key, pki.trusted_ca)}
    spoilt = [
        (pki.proxy.certificate, b"no certificate"),
        (pki.proxy.key, key_pem(new_key())),
        (pki.trusted_ca, Path(pki.peer.certificate).read_bytes()),
        (pki.proxy.key, None),
    ]
    for number, (path, content) in enumerate(spoilt, 1):
        if content is None:
            Path(path).unlink()
        else:
            Path(path).write_bytes(content)
        wait_until(lambda: proxy.proxy.tls.failures == number, "the bad file is refused")  # noqa: B023
        assert shown(proxy, pki, context) == before
        Path(path).write_bytes(good[path])
        wait_until(lambda: not proxy.call(lambda: proxy.proxy._changes._tls_watch._seen), "the good file is back")
    assert proxy.proxy.tls.updates == 1
    pki.issue("proxy")
    wait_until(lambda: shown(proxy, pki) != before, "the new certificate is shown")


def test_a_reload_with_bad_files_is_refused(start: Start, origin: Origin, pki: Pki, tmp_path: Path) -> None:
    settings = config([listener(tls=pki.listener())], [cluster([origin.address], tls=pki.cluster())], tmp_path)
    proxy = start(settings)
    before = shown(proxy, pki)
    missing = {**pki.listener(), "certificate": str(tmp_path / "nowhere.pem")}
    with pytest.raises(ConfigError) as caught:
        proxy.apply(config([listener(tls=missing)], [cluster([origin.address])], tmp_path))
    assert [each.path for each in caught.value.faults] == ["listeners[0].tls.certificate"]
    assert shown(proxy, pki) == before
    assert proxy.proxy.config.clusters[0].tls is not None


def test_a_cluster_shows_its_new_certificate(serve: Serve, origin: Origin, pki: Pki) -> None:
    proxy = serve(origin.address, cluster={"tls": pki.cluster()})
    context = server_context(pki.peer, pki.trusted_ca)

    def seen() -> int:
        with proxy.connect(), tls_accept(origin, context) as server:
            return serial(server)

    assert seen() == serial_in(pki.proxy.certificate)
    pki.issue("proxy")
    wait_until(lambda: seen() == serial_in(pki.proxy.certificate), "the new certificate is shown")


def test_a_ca_replaces_another(serve: Serve, origin: Origin, pki: Pki) -> None:
    """Both for a while; then clients with certificates of the old one have no entry."""
    proxy = serve(origin.address, listener={"tls": pki.listener()})
    new = Authority("new")
    new_client = client_context(pki.trusted_ca, pki.write(new.issue("new-peer")))
    # Read now: the file is about to change.
    old_client = client_context(pki.trusted_ca, pki.peer)

    def enters(context: ssl.SSLContext) -> bool:
        try:
            with tls_connect(proxy.address(), context) as client:
                client.send(b"question")
                client.end()
                client.receive_all()
                return True
        except (ssl.SSLError, ConnectionError):
            return False

    with Answering(origin):
        assert (enters(old_client), enters(new_client)) == (True, False)
        Path(pki.trusted_ca).write_bytes(pki.root.certificate_pem + new.certificate_pem)
        wait_until(lambda: enters(new_client), "the new CA is trusted")
        assert enters(old_client)
        Path(pki.trusted_ca).write_bytes(new.certificate_pem)
        wait_until(lambda: not enters(old_client), "the old CA is trusted no more")
        assert enters(new_client)


class Answering(Background):
    """An origin that sends back what it gets."""

    def __init__(self, origin: Origin) -> None:
        super().__init__()
        self._origin, self._stopping = origin, threading.Event()

    def __enter__(self) -> None:
        self._origin.socket.settimeout(0.05)
        self.start()

    def __exit__(self, *_: object) -> None:
        self._stopping.set()
        self.done()

    def work(self) -> None:
        """Serve each connection in a thread of its own."""
        served = []
        while not self._stopping.is_set():
            try:
                peer = Peer(self._origin.socket.accept()[0])
            except TimeoutError:
                continue
            thread = threading.Thread(target=self._answer, args=(peer,))
            thread.start()
            served.append(thread)
        for thread in served:
            thread.join()

    def _answer(self, peer: Peer) -> None:
        with peer:
            try:
                while data := peer.socket.recv(65536):
                    peer.send(data)
                peer.end()
            except ConnectionError:
                pass


class Asking(Background):
    """A client that asks and asks, on new connections or on one that stays; any failure fails the test."""

    def __init__(self, address: str, context: ssl.SSLContext, stop: threading.Event, *, stay: bool) -> None:
        super().__init__()
        self.answers = 0
        self.serials: set[int] = set()
        self._address, self._context, self._stopping, self._stay = address, context, stop, stay
        self.start()

    def work(self) -> None:
        """Ask."""
        while not self._stopping.is_set():
            with tls_connect(self._address, self._context) as client:
                self.serials.add(serial(client))
                self._ask(client)
                while self._stay and not self._stopping.is_set():
                    self._ask(client)
                client.end()
                client.expect_end()

    def _ask(self, client: TlsPeer) -> None:
        question = b"question %d" % self.answers
        client.send(question)
        assert client.receive(len(question)) == question
        self.answers += 1


def test_traffic_while_certificates_change(serve: Serve, origin: Origin, pki: Pki) -> None:
    """Not one connection is refused or cut, and the newest certificate is always on its way."""
    proxy = serve(origin.address, listener={"tls": pki.listener()})
    context, stop = client_context(pki.trusted_ca, pki.peer), threading.Event()
    with Answering(origin):
        clients = [
            Asking(proxy.address(), context, stop, stay=stay) for stay in (True, False) for _ in range(CLIENTS)
        ]
        for number in range(ROTATIONS):
            pki.issue("proxy")
            expected = serial_in(pki.proxy.certificate)
            wait_until(
                lambda: any(expected in each.serials for each in clients) or not all(c.is_alive() for c in clients),  # noqa: B023
                f"certificate {number} is shown",
            )
        stop.set()
        for each in clients:
            each.done()
    stats = proxy.stats("listener", "in")
    failed = ["ssl.connection_error", "ssl.fail_verify", "ssl.truncated", "ssl.handshake_cut", "ssl.handshake_timeout"]
    assert {name: stats[name] for name in failed} == dict.fromkeys(failed, 0)
    assert stats["downstream_cx_reset"] == 0
    assert {each["response_flags"] for each in proxy.records(stats["downstream_cx_total"])} == {"-"}
    assert all(len(each.serials) == 1 for each in clients[:CLIENTS])
    assert len(set().union(*(each.serials for each in clients))) > ROTATIONS


def test_the_watch_ends_with_the_proxy(serve: Serve, origin: Origin, pki: Pki) -> None:
    proxy = serve(origin.address, listener={"tls": pki.listener()})
    pki.issue("proxy")
    proxy.close()


def test_a_change_during_a_drain_is_let_be(serve: Serve, origin: Origin, pki: Pki) -> None:
    proxy = serve(origin.address, listener={"tls": pki.listener()})
    with tls_connect(proxy.address(), client_context(pki.trusted_ca, pki.peer)) as client, origin.accept() as server:
        proxy.wait(proxy.proxy.drain_listeners())
        pki.issue("proxy")
        wait_until(lambda: not proxy.call(lambda: proxy.proxy._changes._tls_watch._seen), "the change has been seen")
        client.send(b"still there")
        assert server.receive(11) == b"still there"
    assert proxy.proxy.tls.updates == 1
