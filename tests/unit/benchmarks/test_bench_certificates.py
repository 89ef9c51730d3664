"""The certificates that every proxy gets."""

import ssl

import pytest

from benchmarks.certificates import NAME, issue


def _handshake(credentials, server_name):
    """Shake hands in memory, both ends with the same certificate; return what each end knows of the other."""
    ends = []
    for purpose in (ssl.PROTOCOL_TLS_CLIENT, ssl.PROTOCOL_TLS_SERVER):
        context = ssl.SSLContext(purpose)
        context.load_verify_locations(credentials.authority)
        context.load_cert_chain(credentials.certificate, credentials.key)
        context.verify_mode = ssl.CERT_REQUIRED
        ends.append(context)
    to_server, to_client = ssl.MemoryBIO(), ssl.MemoryBIO()
    client = ends[0].wrap_bio(to_client, to_server, server_hostname=server_name)
    server = ends[1].wrap_bio(to_server, to_client, server_side=True)
    waiting = [client, server]
    for _ in range(10):
        for end in list(waiting):
            try:
                end.do_handshake()
                waiting.remove(end)
            except ssl.SSLWantReadError:
                continue
    assert not waiting
    return client.getpeercert(), server.getpeercert()


def test_both_ends_accept_the_leaf_and_see_both_its_names(tmp_path):
    for seen in _handshake(issue(tmp_path), NAME):
        assert seen["subjectAltName"] == (
            ("URI", "spiffe://mesh.local/ns/bench/sa/b"), ("DNS", NAME))


def test_another_name_is_refused(tmp_path):
    with pytest.raises(ssl.SSLCertVerificationError, match="Hostname mismatch"):
        _handshake(issue(tmp_path), "c.mesh.local")


def test_the_bundle_is_leaf_and_key_for_its_owner_alone(tmp_path):
    credentials = issue(tmp_path)
    assert credentials.bundle.read_bytes() == credentials.certificate.read_bytes() + credentials.key.read_bytes()
    assert credentials.bundle.stat().st_mode & 0o077 == credentials.key.stat().st_mode & 0o077 == 0
