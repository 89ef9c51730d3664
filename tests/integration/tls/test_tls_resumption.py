"""Sessions resumed on both sides; and where they are worth nothing."""

from __future__ import annotations

import select
import ssl
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.integration.tls.conftest import ONCE, Pki
from tests.support.certificates import Authority, Files
from tests.support.configs import cluster, config, listener
from tests.support.peer import Origin, Peer
from tests.support.running_proxy import RunningProxy
from tests.support.tls_peer import client_context, server_context, tls_accept, tls_connect
from tests.support.waiting import LIMIT_S, wait_until

Serve = Callable[..., RunningProxy]
Start = Callable[[dict[str, Any]], RunningProxy]

VERSIONS = pytest.mark.parametrize(
    "version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3], ids=lambda each: each.name
)


class Client:
    """A client that remembers its session, whoever it talks to."""

    def __init__(self, pki: Pki, version: ssl.TLSVersion, files: Files | None = None) -> None:
        self.context = client_context(pki.trusted_ca, files or pki.peer, version=version)
        self.session: ssl.SSLSession | None = None

    def resumes(self, address: str, origin: Origin, server_name: str = "proxy.mesh.local") -> bool:
        """Connect, talk, keep the newest session; whether the former one was taken."""
        with tls_connect(address, self.context, server_name, self.session) as client, origin.accept() as server:
            client.send(b"question")
            assert server.receive(8) == b"question"
            server.send(b"answer")
            assert client.receive(6) == b"answer"
            self.session = client.tls.ssl.session
            server.end()
            client.expect_end()
            client.end()
            server.expect_end()
            return bool(client.tls.ssl.session_reused)


@VERSIONS
def test_a_client_that_comes_again(serve: Serve, origin: Origin, pki: Pki, version: ssl.TLSVersion) -> None:
    proxy = serve(origin.address, listener={"tls": pki.listener()})
    client = Client(pki, version)
    assert [client.resumes(proxy.address(), origin) for _ in range(4)] == [False, True, True, True]
    stats = proxy.stats("listener", "in")
    assert (stats["ssl.handshake"], stats["ssl.session_reused"]) == (4, 3)
    # Who it is, is known as if it had shown its certificate.
    identities = {each["downstream_peer_identity"] for each in proxy.records(4)}
    assert identities == {"spiffe://mesh.local/peer"}


@VERSIONS
def test_every_worker_takes_the_tickets_of_all(
    start: Start, origin: Origin, pki: Pki, tmp_path: Path, version: ssl.TLSVersion
) -> None:
    settings = config([listener(tls=pki.listener())], [cluster([origin.address])], tmp_path, workers=3)
    proxy = start(settings)
    client = Client(pki, version)
    assert [client.resumes(proxy.address(), origin) for _ in range(12)] == [False] + [True] * 11


@VERSIONS
def test_without_tickets(serve: Serve, origin: Origin, pki: Pki, version: ssl.TLSVersion) -> None:
    proxy = serve(origin.address, listener={"tls": pki.listener(session_tickets=False)})
    client = Client(pki, version)
    assert [client.resumes(proxy.address(), origin) for _ in range(3)] == [False] * 3
    assert proxy.stats("listener", "in")["ssl.session_reused"] == 0


@VERSIONS
def test_listeners_with_other_settings(
    start: Start, origin: Origin, pki: Pki, tmp_path: Path, version: ssl.TLSVersion
) -> None:
    """A ticket is good at listeners that would have judged its client in the same way, and nowhere else."""
    both = pki.folder / "both.pem"
    both.write_bytes(pki.root.certificate_pem + Authority("other").certificate_pem)
    listeners = {
        "first": pki.listener(),
        "twin": pki.listener(),
        "more-cas": pki.one_way(trusted_ca=str(both)),
        "strict": pki.listener(peer={"trust_domains": ["mesh.local"]}),
        "shallow": pki.listener(max_verify_depth=0),
        "open": pki.listener(require_client_certificate=False),
        "nobody-asked": pki.one_way(),
    }
    named = [listener(name, tls=tls) for name, tls in listeners.items()]
    proxy = start(config(named, [cluster([origin.address])], tmp_path))
    taken = set()
    for name in listeners:
        client = Client(pki, version)
        assert not client.resumes(proxy.address("first"), origin)
        if client.resumes(proxy.address(name), origin):
            taken.add(name)
    assert taken == {"first", "twin"}


@VERSIONS
def test_after_the_trust_has_changed(
    start: Start, origin: Origin, pki: Pki, tmp_path: Path, version: ssl.TLSVersion
) -> None:
    """Nor does an old ticket open the door for a client whose certificate does not open it any more."""
    new_root = Authority("new")
    settings = config([listener(tls=pki.listener())], [cluster([origin.address])], tmp_path)
    proxy = start(settings)
    client = Client(pki, version)
    assert not client.resumes(proxy.address(), origin)
    proxy.apply(settings)
    assert client.resumes(proxy.address(), origin)
    new_root.write(pki.folder, "root")
    proxy.apply(settings)
    with (
        pytest.raises(ssl.SSLError),
        tls_connect(proxy.address(), client.context, "proxy.mesh.local", client.session) as refused,
    ):
        refused.receive_all()
    origin.expect_nobody()
    assert proxy.stats("listener", "in")["ssl.fail_verify"] == 1


@VERSIONS
def test_after_another_listeners_names_have_been_forbidden(
    start: Start, origin: Origin, pki: Pki, tmp_path: Path, version: ssl.TLSVersion
) -> None:
    def settings(**more: Any) -> dict[str, Any]:
        return config([listener(tls=pki.listener(**more))], [cluster([origin.address])], tmp_path)

    proxy = start(settings())
    client = Client(pki, version)
    assert not client.resumes(proxy.address(), origin)
    proxy.apply(settings(peer={"uris": ["spiffe://mesh.local/somebody-else"]}))
    with (
        pytest.raises(ssl.SSLError),
        tls_connect(proxy.address(), client.context, "proxy.mesh.local", client.session) as refused,
    ):
        refused.receive_all()
    origin.expect_nobody()


def test_certificates_that_have_expired_since(serve: Serve, origin: Origin, pki: Pki) -> None:
    """A session would live for an hour; the certificate that it rests on lives for four seconds."""
    proxy = serve(origin.address, listener={"tls": pki.listener()})
    clients, end = [], 0.0
    for version in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
        brief = pki.root.issue("brief", uris=["spiffe://mesh.local/brief"], days=(-1, 4 / 86400))
        clients.append(Client(pki, version, pki.write(brief)))
        assert not clients[-1].resumes(proxy.address(), origin)
        end = brief.certificate.not_valid_after_utc.timestamp()
    wait_until(lambda: time.time() > end + 1, "the certificates have expired")
    for client in clients:
        with (
            pytest.raises((ssl.SSLError, ConnectionError)),
            tls_connect(proxy.address(), client.context, "proxy.mesh.local", client.session) as refused,
        ):
            refused.receive_all()
            # An end without TLS's own is none: `receive_all` raises for it.
            raise AssertionError("let in")
    origin.expect_nobody()


@VERSIONS
def test_workers_resume_with_endpoints(serve: Serve, origin: Origin, pki: Pki, version: ssl.TLSVersion) -> None:
    proxy = serve(origin.address, cluster={"tls": pki.cluster()})
    context = server_context(pki.peer, pki.trusted_ca, version=version)
    assert [reused(proxy, origin, context) for _ in range(4)] == [False, True, True, True]
    stats = proxy.stats("cluster", "app")
    assert (stats["ssl.handshake"], stats["ssl.session_reused"]) == (4, 3)
    assert {each["upstream_peer_identity"] for each in proxy.records(4)} == {"spiffe://mesh.local/peer"}


def reused(proxy: RunningProxy, origin: Origin, context: ssl.SSLContext) -> bool:
    """One connection to an origin with that context; whether it resumed a session."""
    with proxy.connect() as client:
        client.send(b"question")
        return talk(client, origin, context)


def talk(client: Peer, origin: Origin, context: ssl.SSLContext) -> bool:
    """Answer a client's question; whether the proxy resumed a session."""
    with tls_accept(origin, context) as server:
        assert server.receive(8) == b"question"
        server.send(b"answer")
        assert client.receive(6) == b"answer"
        server.end()
        client.expect_end()
        client.end()
        server.expect_end()
        return bool(server.tls.ssl.session_reused)


@VERSIONS
def test_a_cluster_that_does_not_resume(serve: Serve, origin: Origin, pki: Pki, version: ssl.TLSVersion) -> None:
    proxy = serve(origin.address, cluster={"tls": pki.cluster(session_resumption=False)})
    context = server_context(pki.peer, pki.trusted_ca, version=version)
    assert [reused(proxy, origin, context) for _ in range(3)] == [False] * 3


def test_a_server_that_forgets(serve: Serve, origin: Origin, pki: Pki) -> None:
    """Restarted, it has other keys: the handshake is a full one."""
    proxy = serve(origin.address, cluster={"tls": pki.cluster()})
    for _ in range(3):
        context = server_context(pki.peer, pki.trusted_ca)
        assert [reused(proxy, origin, context) for _ in range(2)] == [False, True]


def test_a_cluster_whose_trust_has_changed(start: Start, origin: Origin, pki: Pki, tmp_path: Path) -> None:
    """A session with an endpoint that would not pass any more is not offered."""
    settings = config([listener()], [cluster([origin.address], tls=pki.cluster(), **ONCE)], tmp_path)
    proxy = start(settings)
    context = server_context(pki.peer)
    assert [reused(proxy, origin, context) for _ in range(2)] == [False, True]
    proxy.apply(settings)
    assert reused(proxy, origin, context)
    Authority("new").write(pki.folder, "root")
    proxy.apply(settings)
    with proxy.connect() as client:
        with pytest.raises((ssl.SSLError, ConnectionError)), tls_accept(origin, context) as server:
            server.receive(1)
        client.receive_until_reset()
    assert proxy.stats("cluster", "app")["ssl.fail_verify"] == 1


def test_endpoints_have_sessions_of_their_own(start: Start, pki: Pki, tmp_path: Path) -> None:
    with Origin() as one, Origin() as two:
        settings = config([listener()], [cluster([one.address, two.address], tls=pki.cluster())], tmp_path)
        proxy = start(settings)
        contexts = {each: server_context(pki.peer, pki.trusted_ca) for each in (one, two)}
        seen: dict[Origin, list[bool]] = {one: [], two: []}
        for _ in range(6):
            with proxy.connect() as client:
                client.send(b"question")
                ready, _, _ = select.select([one.socket, two.socket], [], [], LIMIT_S)
                chosen = one if ready[0] is one.socket else two
                seen[chosen].append(talk(client, chosen, contexts[chosen]))
        assert seen == {one: [False, True, True], two: [False, True, True]}
