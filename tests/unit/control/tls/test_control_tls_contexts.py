"""Contexts by content: what is shared, what is new, and every fault that files can have."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.bindings._rust import _openssl
from cryptography.hazmat.primitives.asymmetric import dsa, ec, rsa
from structlog.testing import capture_logs

from mesh_core.config import Config, ConfigError, load_builtins
from mesh_core.control.tls.contexts import TlsContexts
from mesh_core.control.tls.ssl_context import CLIENT_CA_LIMIT
from tests.support.certificates import Authority, key_pem, new_key, pem, self_signed

LIBRARY = _openssl.lib
ROOT = Authority("root")
LEAF = ROOT.issue("leaf", dns_names=["app.mesh.local"])


def config(listener: dict[str, Any] | None = None, cluster: dict[str, Any] | None = None) -> Config:
    return load_builtins(
        {
            "listeners": [{"name": "in", "address": "127.0.0.1:0", "cluster": "app", "tls": listener}],
            "clusters": [{"name": "app", "endpoints": [], "tls": cluster}],
        }
    )


@pytest.fixture
def files(tmp_path: Path) -> dict[str, Any]:
    written = LEAF.write(tmp_path)
    return {"certificate": written.certificate, "key": written.key, "trusted_ca": ROOT.write(tmp_path)}


def faults(listener: dict[str, Any] | None = None, cluster: dict[str, Any] | None = None) -> list[tuple[str, str]]:
    contexts = TlsContexts()
    with pytest.raises(ConfigError) as caught:
        contexts.prepare(config(listener, cluster), "f")
    assert contexts.failures == 1
    assert contexts.current.users == ()
    return [(each.path, each.message) for each in caught.value.faults]


def test_nothing_to_do() -> None:
    contexts = TlsContexts()
    contexts.keep(contexts.prepare(config(), "f"))
    assert contexts.current == ((), {})
    assert contexts.updates == 0


def test_each_user_by_name(files: dict[str, Any]) -> None:
    prepared = TlsContexts().prepare(config(files, {**files, "server_name": "app.mesh.local"}), "f")
    assert set(prepared.listeners) == {"in"}
    assert set(prepared.clusters) == {"app"}
    assert set(prepared.signatures) == set(files.values())


def test_the_same_content_is_the_same_context(files: dict[str, Any], tmp_path: Path) -> None:
    contexts = TlsContexts()
    first = contexts.prepare(config(files), "f")
    contexts.keep(first)
    assert contexts.prepare(config(files), "f").listeners == first.listeners
    # Written anew, and elsewhere: what counts is what stands there.
    LEAF.write(tmp_path)
    elsewhere = LEAF.write(tmp_path, "elsewhere")
    again = contexts.prepare(config({**files, "certificate": elsewhere.certificate, "key": elsewhere.key}), "f")
    assert again.listeners == first.listeners
    contexts.keep(again)
    assert contexts.updates == 1


def test_two_listeners_of_the_same_content_share_a_context(files: dict[str, Any]) -> None:
    listener = {"address": "127.0.0.1:0", "cluster": "app"}
    both = load_builtins(
        {
            "listeners": [{**listener, "name": name, "tls": files} for name in ("a", "b")],
            "clusters": [{"name": "app", "endpoints": []}],
        }
    )
    prepared = TlsContexts().prepare(both, "f")
    assert prepared.listeners["a"] is prepared.listeners["b"]


@pytest.mark.parametrize(
    "change",
    [
        {"require_client_certificate": False},
        {"peer": {"trust_domains": ["mesh.local"]}},
        {"alpn": ["h2"]},
        {"min_version": "1.3"},
        {"max_version": "1.2"},
        {"cipher_suites": ["TLS_AES_128_GCM_SHA256"]},
        {"ciphers": ["TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256"]},
        {"groups": ["X25519MLKEM768", "P-521"]},
        {"max_verify_depth": 0},
        {"session_tickets": False},
        {"handshake_timeout_ms": 1},
    ],
    ids=str,
)
def test_another_setting_is_another_context(files: dict[str, Any], change: dict[str, Any]) -> None:
    contexts = TlsContexts()
    contexts.keep(contexts.prepare(config(files), "f"))
    contexts.keep(contexts.prepare(config(files | change), "f"))
    assert contexts.updates == 2


def test_other_content_is_another_context(files: dict[str, Any], tmp_path: Path) -> None:
    contexts = TlsContexts()
    seen = []
    for change in (
        lambda: None,
        lambda: ROOT.issue("leaf", dns_names=["app.mesh.local"]).write(tmp_path),
        lambda: Authority("root").write(tmp_path),
    ):
        change()
        contexts.keep(contexts.prepare(config(files), "f"))
        seen.append(contexts.current.listeners["in"])
    assert len(set(map(id, seen))) == 3
    assert contexts.updates == 3


def test_a_fault_leaves_what_there_was(files: dict[str, Any]) -> None:
    contexts = TlsContexts()
    contexts.keep(contexts.prepare(config(files), "f"))
    before = contexts.current
    Path(files["key"]).unlink()
    with pytest.raises(ConfigError, match="cannot read"):
        contexts.prepare(config(files), "f")
    assert contexts.current is before
    assert (contexts.updates, contexts.failures) == (1, 1)


def test_further_certificates(files: dict[str, Any], tmp_path: Path) -> None:
    other = ROOT.issue("other", dns_names=["other.mesh.local"]).write(tmp_path)
    more = [{"server_names": ["Other.mesh.local", "*.b"], "certificate": other.certificate, "key": other.key}]
    prepared = TlsContexts().prepare(config({**files, "certificates": more}), "f")
    assert [each.path for each in prepared.users[0].chains] == [files["certificate"], other.certificate]
    Path(other.key).write_bytes(LEAF.key_pem)
    (fault,) = faults({**files, "certificates": more})
    assert fault[0] == "listeners[0].tls.certificates[0].key"


def test_a_chain_with_intermediates(files: dict[str, Any], tmp_path: Path) -> None:
    middle = Authority("middle", ROOT)
    leaf = Authority("low", middle).issue("leaf")
    written = leaf.write(tmp_path)
    chain = TlsContexts().prepare(config(files), "f").users[0].chains[0]
    assert [each.subject.rfc4514_string() for each in chain.certificates] == ["CN=leaf", "CN=low", "CN=middle"]
    Path(written.certificate).write_bytes(b"".join(map(pem, (leaf.certificate, *reversed(leaf.chain)))))
    assert faults(files)[0][1].endswith("has issued none of those before it")


def test_a_root_behind_its_chain_is_allowed(files: dict[str, Any]) -> None:
    Path(files["certificate"]).write_bytes(LEAF.certificate_pem + ROOT.certificate_pem)
    TlsContexts().prepare(config(files), "f")


def test_every_fault_at_once(files: dict[str, Any], tmp_path: Path) -> None:
    nowhere = str(tmp_path / "nowhere")
    found = faults(
        {"certificate": nowhere, "key": nowhere, "trusted_ca": nowhere},
        {"trusted_ca": nowhere, "server_name": "a", "certificate": files["certificate"], "key": nowhere},
    )
    assert [path for path, _ in found] == [
        "listeners[0].tls.trusted_ca",
        "listeners[0].tls.certificate",
        "listeners[0].tls.key",
        "clusters[0].tls.trusted_ca",
        "clusters[0].tls.key",
    ]
    assert all(message.endswith("No such file or directory") for _, message in found)


def write_bytes(data: bytes) -> Any:
    return lambda path: path.write_bytes(data)


def long_chain() -> bytes:
    return LEAF.certificate_pem + ROOT.certificate_pem * 16


@pytest.mark.parametrize(
    ("field", "spoil", "words"),
    [
        ("certificate", write_bytes(b""), "no certificate in PEM"),
        ("certificate", write_bytes(LEAF.key_pem), "no certificate in PEM"),
        ("certificate", write_bytes(LEAF.certificate_pem.replace(b"M", b"N", 3)), "no certificate in PEM"),
        ("certificate", write_bytes(LEAF.certificate_pem[:300]), "no certificate in PEM"),
        ("certificate", write_bytes(bytes(range(256)) * 9), "no certificate in PEM"),
        ("certificate", write_bytes(long_chain()), "more than 16 certificates"),
        ("certificate", write_bytes(ROOT.certificate_pem + LEAF.certificate_pem), "has issued none"),
        ("certificate", lambda path: (path.unlink(), path.mkdir()), "Is a directory"),
        ("key", write_bytes(b""), "no private key in PEM"),
        ("key", write_bytes(LEAF.certificate_pem), "no private key in PEM"),
        ("key", write_bytes(LEAF.key_pem[:150]), "no private key in PEM"),
        ("key", write_bytes(key_pem(new_key())), "does not belong to the certificate"),
        ("key", write_bytes(key_pem(ROOT.key)), "does not belong to the certificate"),
        ("key", write_bytes(key_pem(LEAF.key, b"hunter2")), "is encrypted"),
        ("key", write_bytes(key_pem(rsa.generate_private_key(65537, 1024))), "has only 1024 bits"),
        ("key", write_bytes(key_pem(dsa.generate_private_key(1024))), "of a kind that TLS does not use"),
        ("trusted_ca", write_bytes(b""), "no certificate in PEM"),
        ("trusted_ca", write_bytes(LEAF.certificate_pem), "is not a CA's"),
        ("trusted_ca", write_bytes(self_signed().certificate_pem), "is not a CA's"),
        ("trusted_ca", write_bytes(ROOT.certificate_pem * 4097), "more than 4096 certificates"),
    ],
)
def test_a_file_that_cannot_be_used(files: dict[str, Any], field: str, spoil: Any, words: str) -> None:
    spoil(Path(files[field]))
    ((path, message),) = faults(files)
    assert path == f"listeners[0].tls.{field}"
    assert words in message
    assert "PRIVATE" not in message


def test_the_key_of_another_certificate_in_the_file(files: dict[str, Any]) -> None:
    Path(files["certificate"]).write_bytes(LEAF.certificate_pem + ROOT.certificate_pem)
    Path(files["key"]).write_bytes(key_pem(ROOT.key))
    ((_, message),) = faults(files)
    assert "the key belongs to certificate 2" in message


def test_a_fifo_does_not_hold_up_the_control_thread(files: dict[str, Any]) -> None:
    Path(files["key"]).unlink()
    os.mkfifo(files["key"])
    ((_, message),) = faults(files)
    assert "not a regular file" in message


@pytest.mark.parametrize(
    "key",
    [ec.generate_private_key(ec.SECP384R1()), rsa.generate_private_key(65537, 2048)],
    ids=lambda key: type(key).__name__,
)
def test_other_kinds_of_keys(files: dict[str, Any], tmp_path: Path, key: Any) -> None:
    ROOT.issue("leaf", key=key).write(tmp_path)
    TlsContexts().prepare(config(files), "f")


def test_a_key_that_others_can_read_is_told_once(files: dict[str, Any]) -> None:
    contexts = TlsContexts()
    Path(files["key"]).chmod(0o644)
    with capture_logs() as logged:
        contexts.keep(contexts.prepare(config(files), "f"))
        contexts.keep(contexts.prepare(config(files), "f"))
    assert [each["event"] for each in logged] == [f"others can read the key in \"{files['key']}\""]


def test_no_verification_is_told() -> None:
    contexts = TlsContexts()
    with capture_logs() as logged:
        contexts.keep(contexts.prepare(config(None, {"insecure_skip_verify": True}), "f"))
    assert [(each["event"], each["cluster"]) for each in logged] == [
        ("endpoints are not verified: insecure_skip_verify", "app")
    ]


def test_the_cas_of_the_system(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # What the operating system trusts is taken as it is, and is not for /certs.
    bundle = tmp_path / "bundle.pem"
    bundle.write_bytes(ROOT.certificate_pem + LEAF.certificate_pem)
    monkeypatch.setenv("SSL_CERT_FILE", str(bundle))
    prepared = TlsContexts().prepare(config(None, {"trusted_ca": "system", "server_name": "a"}), "f")
    assert prepared.users[0].trusted_ca is None
    assert set(prepared.signatures) == {str(bundle)}


def test_no_cas_of_the_system(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SSL_CERT_FILE", raising=False)
    monkeypatch.setattr("mesh_core.control.tls.files.SYSTEM_BUNDLES", ())
    ((path, message),) = faults(None, {"trusted_ca": "system", "server_name": "a"})
    assert (path, message) == ("clusters[0].tls.trusted_ca", "no CAs of the operating system are found")


def test_many_cas(files: dict[str, Any]) -> None:
    many = b"".join(Authority(f"ca{i}").certificate_pem for i in range(CLIENT_CA_LIMIT + 1))
    Path(files["trusted_ca"]).write_bytes(many)
    TlsContexts().prepare(config(files), "f")


def test_what_openssl_refuses_is_a_fault(files: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        "mesh_core.control.tls.ssl_context._openssl.lib", _WithoutGroups(), raising=True
    )
    ((path, message),) = faults(files)
    assert path == "listeners[0].tls"
    assert "lacks one of the groups X25519, P-256" in message


class _WithoutGroups:
    def __getattr__(self, name: str) -> Any:
        return (lambda *_: 0) if name == "SSL_CTX_set1_curves_list" else getattr(LIBRARY, name)
