"""What two sides agree on: certificate by name, protocol, version, cipher, group. And what they do not agree on."""

from __future__ import annotations

import contextlib
import socket
import ssl
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from OpenSSL import SSL

from tests.integration.tls.conftest import Pki
from tests.support.certificates import Authority, Files
from tests.support.configs import cluster, config, listener
from tests.support.peer import Origin, Peer, connect
from tests.support.running_proxy import RunningProxy
from tests.support.tls_peer import client_context, server_context, tls_accept, tls_connect
from tests.support.waiting import LIMIT_S

Serve = Callable[..., RunningProxy]
Start = Callable[[dict[str, Any]], RunningProxy]

VERSIONS = pytest.mark.parametrize(
    "version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3], ids=lambda each: each.name
)


def with_names(pki: Pki, **names: list[str]) -> list[dict[str, Any]]:
    """Further certificates, by the names that they are shown for."""
    made = {name: pki.issue(name) for name in names}
    return [
        {"server_names": names[name], "certificate": files.certificate, "key": files.key}
        for name, files in made.items()
    ]


def shown(proxy: RunningProxy, pki: Pki, asked: str | None, version: ssl.TLSVersion) -> str:
    """The subject of the certificate that a client is shown who asks for that name."""
    context = client_context(pki.trusted_ca, pki.peer, version=version)
    with tls_connect(proxy.address(), context, asked) as client:
        encoded = client.tls.ssl.getpeercert(binary_form=True)
        assert encoded
        return x509.load_der_x509_certificate(encoded).subject.rfc4514_string().removeprefix("CN=")


@VERSIONS
def test_certificates_by_name(serve: Serve, origin: Origin, pki: Pki, version: ssl.TLSVersion) -> None:
    certificates = with_names(
        pki, exact=["a.example", "b.example"], wild=["*.example"], deep=["*.x.Example", "c.x.example"]
    )
    proxy = serve(origin.address, listener={"tls": pki.listener(certificates=certificates)})
    for asked, expected in {
        None: "proxy",
        "elsewhere": "proxy",
        "example": "proxy",
        "a.example": "exact",
        "A.EXAMPLE": "exact",
        "b.example": "exact",
        "c.example": "wild",
        "x.example": "wild",
        "y.x.example": "deep",
        "z.y.x.example": "proxy",
        "c.x.example": "deep",
        "aa.example.": "proxy",
    }.items():
        assert shown(proxy, pki, asked, version) == expected, asked


@VERSIONS
def test_every_name_has_the_same_bouncer(serve: Serve, origin: Origin, pki: Pki, version: ssl.TLSVersion) -> None:
    """Another certificate is another context inside OpenSSL: clients are verified there too."""
    certificates = with_names(pki, other=["other.example"])
    proxy = serve(origin.address, listener={"tls": pki.listener(certificates=certificates, alpn=["h2"])})
    for context in (
        client_context(pki.trusted_ca, version=version),
        client_context(pki.trusted_ca, foreign(pki), version=version),
    ):
        with pytest.raises(ssl.SSLError), tls_connect(proxy.address(), context, "other.example") as client:
            client.receive_all()
    origin.expect_nobody()
    context = client_context(pki.trusted_ca, pki.peer, version=version, alpn=["h2"])
    with tls_connect(proxy.address(), context, "other.example") as client, origin.accept() as server:
        client.send(b"question")
        assert server.receive(8) == b"question"
        assert client.tls.ssl.selected_alpn_protocol() == "h2"


def foreign(pki: Pki) -> Files:
    """A certificate that another authority has issued."""
    return pki.write(Authority("foreign").issue("foreign"))


@pytest.mark.parametrize(
    ("protocols", "chosen"),
    [
        ((["h2", "http/1.1"], ["http/1.1", "h2"]), "h2"),
        ((["h2", "http/1.1"], ["http/1.1"]), "http/1.1"),
        ((["a" * 255], ["b", "a" * 255]), "a" * 255),
        ((["h2"], []), None),
        (([], ["h2"]), None),
    ],
)
def test_alpn_downstream(
    serve: Serve, origin: Origin, pki: Pki, protocols: tuple[list[str], list[str]], chosen: str | None
) -> None:
    """What is spoken here, what a client offers, and what becomes of it."""
    spoken, offered = protocols
    proxy = serve(origin.address, listener={"tls": pki.one_way(alpn=spoken)})
    with tls_connect(proxy.address(), client_context(pki.trusted_ca, alpn=offered)) as client:
        assert client.tls.ssl.selected_alpn_protocol() == chosen


def test_no_common_alpn(serve: Serve, origin: Origin, pki: Pki) -> None:
    proxy = serve(origin.address, listener={"tls": pki.one_way(alpn=["h2"])})
    with pytest.raises(ssl.SSLError, match=r"(?i)no.application.protocol"):
        tls_connect(proxy.address(), client_context(pki.trusted_ca, alpn=["http/1.1", "h2c"]))
    proxy.wait_for_stat(1, "ssl.connection_error", "listener", "in")
    origin.expect_nobody()


def test_alpn_and_name_upstream(serve: Serve, origin: Origin, pki: Pki) -> None:
    proxy = serve(origin.address, cluster={"tls": pki.cluster(alpn=["h2", "http/1.1"])})
    context = server_context(pki.peer, alpn=["http/1.1"])
    asked: list[str] = []
    context.sni_callback = lambda _socket, name, _context: asked.append(name)
    with proxy.connect(), tls_accept(origin, context) as server:
        assert server.tls.ssl.selected_alpn_protocol() == "http/1.1"
    assert asked == ["peer.mesh.local"]


@pytest.mark.parametrize(
    ("settings", "spoken"),
    [({}, ["TLSv1_2", "TLSv1_3"]), ({"min_version": "1.3"}, ["TLSv1_3"]), ({"max_version": "1.2"}, ["TLSv1_2"])],
)
@pytest.mark.filterwarnings("ignore:ssl.TLSVersion:DeprecationWarning")
def test_versions(serve: Serve, origin: Origin, pki: Pki, settings: dict[str, Any], spoken: list[str]) -> None:
    proxy = serve(origin.address, listener={"tls": pki.one_way(**settings)})
    for version in ("TLSv1", "TLSv1_1", "TLSv1_2", "TLSv1_3"):
        context = client_context(pki.trusted_ca, version=ssl.TLSVersion[version], any_key=True)
        if version in spoken:
            tls_connect(proxy.address(), context).close()
        else:
            with pytest.raises(ssl.SSLError, match="PROTOCOL_VERSION"):
                tls_connect(proxy.address(), context)


def cipher_with(proxy: RunningProxy, pki: Pki, offered: str) -> str | None:
    context = client_context(pki.trusted_ca, version=ssl.TLSVersion.TLSv1_2)
    context.set_ciphers(offered)
    try:
        with tls_connect(proxy.address(), context) as client:
            return client.tls.ssl.cipher()[0]  # type: ignore[index]
    except ssl.SSLError:
        return None


def test_ciphers(serve: Serve, origin: Origin, pki: Pki) -> None:
    """The server's order counts; IANA's names are as good as OpenSSL's."""
    ciphers = ["TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256", "ECDHE-ECDSA-AES128-GCM-SHA256"]
    proxy = serve(origin.address, listener={"tls": pki.one_way(ciphers=ciphers)})
    aes, chacha = "ECDHE-ECDSA-AES128-GCM-SHA256", "ECDHE-ECDSA-CHACHA20-POLY1305"
    assert cipher_with(proxy, pki, f"{aes}:{chacha}") == chacha
    assert cipher_with(proxy, pki, aes) == aes
    assert cipher_with(proxy, pki, "ECDHE-ECDSA-AES256-GCM-SHA384") is None


@pytest.mark.parametrize("weak", ["ECDHE-ECDSA-AES128-SHA", "ECDHE-ECDSA-AES128-SHA256", "AES128-GCM-SHA256", "PSK"])
def test_weak_ciphers_are_not_spoken(serve: Serve, origin: Origin, pki: Pki, weak: str) -> None:
    proxy = serve(origin.address, listener={"tls": pki.one_way()})
    assert cipher_with(proxy, pki, f"{weak}:@SECLEVEL=0") is None


def pair(start: Start, origin: Origin, pki: Pki, folder: Path, **settings: Any) -> RunningProxy:
    """One proxy that speaks TLS with itself: listener "front", cluster "hop", listener "in", cluster "app"."""
    between = f"unix:{folder}/between"
    tls = pki.listener(**settings)
    hop = pki.cluster(**settings, server_name="proxy.mesh.local")
    return start(
        config(
            [listener("front", cluster="hop"), listener("in", between, tls=tls)],
            [cluster([between], "hop", tls=hop), cluster([origin.address])],
            folder,
        )
    )


@pytest.mark.parametrize(
    "settings",
    [
        {"groups": [group], "min_version": "1.3"}
        for group in ("X25519", "P-256", "P-384", "P-521", "X25519MLKEM768", "SecP256r1MLKEM768")
    ]
    # In TLS 1.2 groups are also the curves that certificates may have: P-256 here.
    + [{"groups": groups, "max_version": "1.2"} for groups in (["P-256"], ["X25519", "P-256"], ["P-521", "P-256"])]
    + [
        {"cipher_suites": [suite]}
        for suite in ("TLS_AES_128_GCM_SHA256", "TLS_AES_256_GCM_SHA384", "TLS_CHACHA20_POLY1305_SHA256")
    ]
    + [
        {"ciphers": [f"ECDHE-ECDSA-{cipher}"], "max_version": "1.2"}
        for cipher in ("AES128-GCM-SHA256", "AES256-GCM-SHA384", "CHACHA20-POLY1305")
    ],
    ids=lambda each: "-".join(str(value) for value in each.values()),
)
def test_every_setting(start: Start, origin: Origin, pki: Pki, tmp_path: Path, settings: dict[str, Any]) -> None:
    proxy = pair(start, origin, pki, tmp_path, **settings)
    with connect(proxy.address("front")) as client, origin.accept() as server:
        client.send(b"question")
        assert server.receive(8) == b"question"
        server.send(b"answer")
        assert client.receive(6) == b"answer"
        server.end()
        client.end()
        assert client.receive_all() == server.receive_all() == b""
    (record,) = (each for each in proxy.records(2) if each["listener"] == "in")
    if "cipher_suites" in settings:
        assert record["downstream_tls_cipher"] == settings["cipher_suites"][0]
    if "ciphers" in settings:
        assert record["downstream_tls_cipher"] == settings["ciphers"][0]
    if "max_version" in settings:
        assert record["downstream_tls_version"] == f"TLSv{settings['max_version']}"


def test_groups_apart(serve: Serve, origin: Origin, pki: Pki) -> None:
    proxy = serve(origin.address, listener={"tls": pki.one_way(groups=["P-384"])})
    context = client_context(pki.trusted_ca)
    context.set_ecdh_curve("prime256v1")
    with pytest.raises(ssl.SSLError):
        tls_connect(proxy.address(), context)
    context = client_context(pki.trusted_ca)
    context.set_ecdh_curve("secp384r1")
    tls_connect(proxy.address(), context).close()


@VERSIONS
def test_a_key_for_the_wrong_group_at_first(serve: Serve, origin: Origin, pki: Pki, version: ssl.TLSVersion) -> None:
    """In TLS 1.3 that takes another round (HelloRetryRequest)."""
    proxy = serve(origin.address, listener={"tls": pki.listener(groups=["P-521", "P-256"])})
    with tls_connect(proxy.address(), client_context(pki.trusted_ca, pki.peer, version=version)) as client:
        client.send(b"question")
        with origin.accept() as server:
            assert server.receive(8) == b"question"


def raw(peer: Peer, context: SSL.Context, *, server: bool) -> SSL.Connection:
    """An OpenSSL connection over a connected socket: it can ask for what Python's ssl cannot."""
    peer.socket.settimeout(None)
    peer.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, struct.pack("ll", int(LIMIT_S), 0))
    connection = SSL.Connection(context, peer.socket)
    (connection.set_accept_state if server else connection.set_connect_state)()
    connection.do_handshake()
    return connection


def test_a_client_that_wants_to_renegotiate(serve: Serve, origin: Origin, pki: Pki) -> None:
    """It is told no. What it makes of that is its own affair: the proxy goes on, or ends with it."""
    proxy = serve(origin.address, listener={"tls": pki.one_way(max_version="1.2")})
    with connect(proxy.address()) as peer:
        client = raw(peer, SSL.Context(SSL.TLS_CLIENT_METHOD), server=False)
        client.send(b"before")
        with origin.accept() as server:
            assert server.receive(6) == b"before"
            client.renegotiate()
            with pytest.raises(SSL.Error):
                client.do_handshake()
                client.recv(1)
            with contextlib.suppress(SSL.Error):
                client.send(b"after")
    proxy.wait_for_connections(0)
    assert proxy.stats("listener", "in")["ssl.handshake"] == 1


def test_a_server_that_wants_to_renegotiate(serve: Serve, origin: Origin, pki: Pki) -> None:
    proxy = serve(origin.address, cluster={"tls": pki.cluster(max_version="1.2")})
    context = SSL.Context(SSL.TLS_SERVER_METHOD)
    context.use_certificate_chain_file(pki.peer.certificate)
    context.use_privatekey_file(pki.peer.key)
    with proxy.connect() as client, origin.accept() as peer:
        server = raw(peer, context, server=True)
        server.send(b"before")
        assert client.receive(6) == b"before"
        server.renegotiate()
        with pytest.raises(SSL.Error):
            server.do_handshake()
            server.recv(1)
        peer.close()
        client.receive_what_comes()
    proxy.wait_for_connections(0)
    assert proxy.stats("cluster", "app")["ssl.handshake"] == 1
