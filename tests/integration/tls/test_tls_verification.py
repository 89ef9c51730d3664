"""A matrix of certificates, shown by clients to a listener and by servers to a cluster: exactly the good ones pass."""

from __future__ import annotations

import ssl
from collections.abc import Callable
from typing import Any, NamedTuple

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import ExtendedKeyUsageOID

from tests.integration.tls.conftest import ONCE, Pki
from tests.support.certificates import BOTH, CLIENT, SERVER, Authority, Leaf, self_signed
from tests.support.peer import Origin
from tests.support.running_proxy import RunningProxy
from tests.support.tls_peer import client_context, server_context, tls_accept, tls_connect

Serve = Callable[..., RunningProxy]

ID = "spiffe://mesh.local/ns/shop/sa/cart"
DNS = "cart.shop.mesh.local"
GOOD: dict[str, Any] = {"uris": [ID], "dns_names": [DNS]}
PEERS: dict[str, dict[str, Any] | None] = {
    "ca": None,
    "spiffe": {"trust_domains": ["mesh.local", "other.local"]},
    "uri": {"uris": ["spiffe://mesh.local/ns/shop/sa/other", ID]},
    "dns": {"dns_names": ["Cart.Shop.mesh.local"]},
    "both": {"trust_domains": ["mesh.local"], "uris": [ID]},
}


class Case(NamedTuple):
    """A certificate, made with the root that is trusted, and by which rules it passes."""

    name: str
    make: Callable[[Authority], Leaf]
    passes: frozenset[str]


def case(name: str, make: Callable[[Authority], Leaf], *passes: str) -> Case:
    return Case(name, make, frozenset(passes))


def issued(**more: Any) -> Callable[[Authority], Leaf]:
    return lambda root: root.issue("peer", **{**GOOD, **more})


def through(*levels: dict[str, Any], keep: int | None = None) -> Callable[[Authority], Leaf]:
    """Issued by intermediates; only `keep` of those are shown."""

    def make(root: Authority) -> Leaf:
        issuer = root
        for number, more in enumerate(levels):
            issuer = Authority(f"level{number}", issuer, **more)
        leaf = issuer.issue("peer", **GOOD)
        return leaf._replace(chain=leaf.chain if keep is None else leaf.chain[:keep])

    return make


def of_a_leaf(root: Authority) -> Leaf:
    """Signed with the key of a certificate that is no CA's."""
    false = Authority("false", root)
    false.certificate = root.issue("false", key=false.key).certificate
    return false.issue("peer", **GOOD)


def of_a_namesake(root: Authority) -> Leaf:
    return Authority(root.name).issue("peer", **GOOD)


def of_a_weak_authority(root: Authority) -> Leaf:
    return Authority("weak", root, key=rsa.generate_private_key(65537, 1024)).issue("peer", **GOOD)


def critical_unknown(root: Authority) -> Leaf:
    extension = x509.UnrecognizedExtension(x509.ObjectIdentifier("1.3.6.1.4.1.99999.1"), b"\x05\x00")
    return root.issue("peer", **GOOD, more=[(extension, True)])


ANY = tuple(PEERS)
CASES = [
    case("good", issued(), *ANY),
    case("through-one-intermediate", through({}), *ANY),
    case("through-two-intermediates", through({}, {}), *ANY),
    case("rsa-2048", issued(key=rsa.generate_private_key(65537, 2048)), *ANY),
    case("no-usages", issued(usages=None), *ANY),
    case("other-path", issued(uris=["spiffe://mesh.local/ns/shop/sa/stranger"]), "ca", "spiffe", "dns"),
    case("other-trust-domain", issued(uris=["spiffe://mesh.local.evil/ns/shop/sa/cart"]), "ca", "dns"),
    case("trust-domain-in-the-path", issued(uris=["spiffe://evil/mesh.local"]), "ca", "dns"),
    case("upper-case-trust-domain", issued(uris=["spiffe://MESH.local/ns/shop/sa/cart"]), "ca", "dns"),
    case("second-trust-domain", issued(uris=["spiffe://other.local/a"]), "ca", "spiffe", "dns"),
    case("not-spiffe", issued(uris=["https://mesh.local/ns/shop/sa/cart"]), "ca", "dns"),
    case("spiffe-with-port", issued(uris=["spiffe://mesh.local:1/ns/shop/sa/cart"]), "ca", "dns"),
    case("two-uris", issued(uris=[ID, "spiffe://mesh.local/b"]), "ca", "uri", "dns"),
    case("no-name", issued(uris=[], dns_names=[]), "ca"),
    case("dns-only", issued(uris=[]), "ca", "dns"),
    case("uri-only", issued(dns_names=[]), "ca", "spiffe", "uri", "both"),
    case("wildcard", issued(dns_names=["*.shop.mesh.local"]), *ANY),
    case("wildcard-too-high", issued(dns_names=["*.mesh.local"]), "ca", "spiffe", "uri", "both"),
    case("partial-wildcard", issued(dns_names=["ca*.shop.mesh.local"]), "ca", "spiffe", "uri", "both"),
    case("name-only-in-subject", lambda root: root.issue(DNS, uris=[ID]), "ca", "spiffe", "uri", "both"),
    case("suffix", issued(dns_names=["evil" + DNS]), "ca", "spiffe", "uri", "both"),
    case("wrong-usage", issued(usages=[ExtendedKeyUsageOID.EMAIL_PROTECTION])),
    case("expired", issued(days=(-30, -1))),
    case("not-yet-valid", issued(days=(1, 30))),
    case("wrong-ca", lambda _: Authority("other").issue("peer", **GOOD)),
    case("namesake-of-the-ca", of_a_namesake),
    case("self-signed", lambda _: self_signed(**GOOD)),
    case("issued-by-a-leaf", of_a_leaf),
    case("intermediate-missing", through({}, keep=0)),
    case("second-intermediate-missing", through({}, {}, keep=1)),
    case("too-deep", through({}, {}, {})),
    case("path-length-exceeded", through({"path_length": 0}, {})),
    case("intermediate-expired", through({"days": (-30, -1)})),
    case("rsa-1024", issued(key=rsa.generate_private_key(65537, 1024))),
    case("intermediate-with-rsa-1024", of_a_weak_authority),
    case("critical-extension-nobody-knows", critical_unknown),
]
MATRIX = [
    pytest.param(each, rule, id=f"{each.name}-{rule}-{'good' if rule in each.passes else 'bad'}")
    for each in CASES
    # What no rule lets pass fails before rules are looked at: one is enough, beside the strictest.
    for rule in (PEERS if each.passes else ("ca", "both"))
]
DEPTH = {"max_verify_depth": 2}


def passes(proxy: RunningProxy, origin: Origin, context: ssl.SSLContext) -> None:
    """A client with that context gets through to the origin and back."""
    with tls_connect(proxy.address(), context, "proxy.mesh.local") as client:
        client.send(b"question")
        with origin.accept() as server:
            assert server.receive(8) == b"question"
            server.send(b"answer")
            server.end()
            assert client.receive_all() == b"answer"


def refused(proxy: RunningProxy, origin: Origin, context: ssl.SSLContext) -> None:
    """A client with that context is told by an alert that it is not welcome, and the origin hears nothing."""
    with (
        pytest.raises(ssl.SSLError, match="ALERT"),
        tls_connect(proxy.address(), context, "proxy.mesh.local") as client,
    ):
        client.receive_all()
    proxy.wait_for_connections(0)
    origin.expect_nobody()


@pytest.mark.parametrize(("certificate", "rule"), MATRIX)
def test_clients(serve: Serve, origin: Origin, pki: Pki, certificate: Case, rule: str) -> None:
    tls = pki.listener(peer=PEERS[rule], **DEPTH)
    files = pki.write(certificate.make(pki.root), "shown")
    proxy = serve(origin.address, listener={"tls": tls})
    context = client_context(pki.trusted_ca, files, any_key=True)
    if rule in certificate.passes:
        passes(proxy, origin, context)
        return
    refused(proxy, origin, context)
    assert proxy.stats("listener", "in")["ssl.fail_verify"] == 1
    assert proxy.stats("listener", "in")["ssl.handshake"] == 0


@pytest.mark.parametrize(("certificate", "rule"), MATRIX)
def test_servers(serve: Serve, origin: Origin, pki: Pki, certificate: Case, rule: str) -> None:
    tls = pki.cluster(peer=PEERS[rule], server_name=None if PEERS[rule] else DNS, **DEPTH)
    # Without rules of its own, a cluster asks for its server name.
    good = (rule if PEERS[rule] else "dns") in certificate.passes
    files = pki.write(certificate.make(pki.root), "shown")
    proxy = serve(origin.address, cluster={"tls": tls, **ONCE})
    context = server_context(files, pki.trusted_ca, any_key=True)
    with proxy.connect() as client:
        if not good:
            with pytest.raises((ssl.SSLError, ConnectionError)), tls_accept(origin, context) as server:
                server.receive(1)
            client.receive_until_reset()
            assert proxy.stats("cluster", "app")["ssl.fail_verify"] == 1
            return
        with tls_accept(origin, context) as server:
            client.send(b"question")
            assert server.receive(8) == b"question"
            server.send(b"answer")
            assert client.receive(6) == b"answer"
    assert proxy.stats("cluster", "app")["ssl.handshake"] == 1


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3], ids=lambda each: each.name)
def test_usages_of_clients(serve: Serve, origin: Origin, pki: Pki, version: ssl.TLSVersion) -> None:
    """A server's certificate is none for a client; both usages are."""
    proxy = serve(origin.address, listener={"tls": pki.listener()})
    for usages, judged in (((CLIENT,), passes), (BOTH, passes), ((SERVER,), refused)):
        files = pki.write(pki.root.issue("shown", **GOOD, usages=usages))
        judged(proxy, origin, client_context(pki.trusted_ca, files, version=version))


def test_usages_of_servers(serve: Serve, origin: Origin, pki: Pki) -> None:
    proxy = serve(origin.address, cluster={"tls": pki.cluster(server_name=DNS), **ONCE})
    for usages, good in (((SERVER,), True), (BOTH, True), ((CLIENT,), False)):
        context = server_context(pki.write(pki.root.issue("shown", **GOOD, usages=usages)))
        with proxy.connect() as client:
            try:
                with tls_accept(origin, context) as server:
                    client.send(b"question")
                    assert server.receive(8) == b"question"
                    assert good, usages
            except (ssl.SSLError, ConnectionError):
                assert not good, usages


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3], ids=lambda each: each.name)
def test_a_client_without_a_certificate(serve: Serve, origin: Origin, pki: Pki, version: ssl.TLSVersion) -> None:
    proxy = serve(origin.address, listener={"tls": pki.listener()})
    refused(proxy, origin, client_context(pki.trusted_ca, version=version))
    assert proxy.stats("listener", "in")["ssl.fail_verify"] == 1


def test_certificates_that_may_be_left_out(serve: Serve, origin: Origin, pki: Pki) -> None:
    """Whoever shows one must show a good one."""
    proxy = serve(origin.address, listener={"tls": pki.listener(require_client_certificate=False)})
    passes(proxy, origin, client_context(pki.trusted_ca))
    passes(proxy, origin, client_context(pki.trusted_ca, pki.peer))
    refused(proxy, origin, client_context(pki.trusted_ca, pki.write(self_signed(**GOOD))))


def test_nobody_is_asked(serve: Serve, origin: Origin, pki: Pki) -> None:
    proxy = serve(origin.address, listener={"tls": pki.one_way()})
    passes(proxy, origin, client_context(pki.trusted_ca))
    passes(proxy, origin, client_context(pki.trusted_ca, pki.write(self_signed(**GOOD))))


def test_an_intermediate_is_trusted_without_its_root(serve: Serve, origin: Origin, pki: Pki) -> None:
    middle = Authority("middle", pki.root)
    tls = pki.listener() | {"trusted_ca": middle.write(pki.folder)}
    proxy = serve(origin.address, listener={"tls": tls})
    passes(proxy, origin, client_context(pki.trusted_ca, pki.write(middle.issue("shown"))))
    other = Authority("other", pki.root).issue("shown")
    refused(proxy, origin, client_context(pki.trusted_ca, pki.write(other)))


def test_several_cas(serve: Serve, origin: Origin, pki: Pki) -> None:
    """As while one CA replaces another."""
    roots = [Authority(f"root{number}") for number in range(3)]
    bundle = pki.folder / "bundle.pem"
    bundle.write_bytes(b"".join(each.certificate_pem for each in roots))
    proxy = serve(origin.address, listener={"tls": pki.one_way(trusted_ca=str(bundle))})
    for root in roots:
        passes(proxy, origin, client_context(pki.trusted_ca, pki.write(root.issue("shown"))))
    refused(proxy, origin, client_context(pki.trusted_ca, pki.peer))


def test_a_cluster_that_does_not_verify(serve: Serve, origin: Origin, pki: Pki) -> None:
    proxy = serve(origin.address, cluster={"tls": {"insecure_skip_verify": True}})
    context = server_context(pki.write(self_signed(days=(-30, -1))))
    with proxy.connect() as client, tls_accept(origin, context) as server:
        client.send(b"question")
        assert server.receive(8) == b"question"


def test_a_cluster_shows_its_certificate(serve: Serve, origin: Origin, pki: Pki) -> None:
    proxy = serve(origin.address, cluster={"tls": pki.cluster()})
    with proxy.connect() as client, tls_accept(origin, server_context(pki.peer, pki.trusted_ca)) as server:
        client.send(b"question")
        assert server.receive(8) == b"question"
        shown = x509.load_der_x509_certificate(server.tls.ssl.getpeercert(binary_form=True) or b"")
        assert shown.subject.rfc4514_string() == "CN=proxy"


def test_a_cluster_without_a_certificate_is_turned_away(serve: Serve, origin: Origin, pki: Pki) -> None:
    tls = pki.cluster()
    del tls["certificate"], tls["key"]
    proxy = serve(origin.address, cluster={"tls": tls, **ONCE})
    with proxy.connect() as client:
        with pytest.raises(ssl.SSLError):
            tls_accept(origin, server_context(pki.peer, pki.trusted_ca))
        client.receive_until_reset()


def test_the_chain_that_the_proxy_shows(serve: Serve, origin: Origin, pki: Pki) -> None:
    """With its intermediates: clients know the root only."""
    leaf = Authority("low", Authority("middle", pki.root)).issue("own", dns_names=["proxy.mesh.local"])
    files = pki.write(leaf)
    own = {"certificate": files.certificate, "key": files.key}
    proxy = serve(origin.address, listener={"tls": pki.listener() | own})
    passes(proxy, origin, client_context(pki.trusted_ca, pki.peer))
