"""A session against Python's ssl, without sockets: cut anywhere, resumed, closed, refused."""

from __future__ import annotations

import contextlib
import ssl
from pathlib import Path

import pytest
from OpenSSL import SSL

from mesh_core._testing.tls_session import Session
from mesh_core.tls.context import TlsContext
from tests.support.certificates import Authority, Leaf

NAME = "b.mesh.local"
URI = "spiffe://mesh.local/ns/default/sa/b"


class Peer:
    """The other side: Python's ssl over memory."""

    def __init__(self, context: ssl.SSLContext, *, server_side: bool, session: ssl.SSLSession | None = None) -> None:
        self._in, self._out = ssl.MemoryBIO(), ssl.MemoryBIO()
        self.ssl = context.wrap_bio(
            self._in, self._out, server_side, None if server_side else NAME, session=session
        )

    def feed(self, data: bytes) -> None:
        self._in.write(data)

    def handshake(self) -> bool:
        try:
            self.ssl.do_handshake()
        except ssl.SSLWantReadError:
            return False
        return True

    def output(self) -> bytes:
        return self._out.read()

    def read(self) -> bytes:
        pieces = b""
        while True:
            try:
                piece = self.ssl.read(65536)
            except ssl.SSLWantReadError:
                return pieces
            if not piece:
                return pieces
            pieces += piece


@pytest.fixture
def authority() -> Authority:
    return Authority("root")


@pytest.fixture
def leaf(authority: Authority) -> Leaf:
    return authority.issue("b", uris=[URI], dns_names=[NAME])


def session_context(leaf: Leaf, authority: Authority, folder: Path, *, server: bool, **rules: object) -> TlsContext:
    files, trusted = leaf.write(folder), authority.write(folder)
    context = SSL.Context(SSL.TLS_METHOD)
    context.use_certificate_chain_file(files.certificate)
    context.use_privatekey_file(files.key)
    context.load_verify_locations(trusted)
    context.set_session_id(b"test")
    rules.setdefault("server_name", None if server else NAME)
    return TlsContext(context, server=server, verify_peer=True, require_peer_certificate=True, **rules)  # type: ignore[arg-type]


def peer_context(leaf: Leaf, authority: Authority, folder: Path, *, server: bool) -> ssl.SSLContext:
    files, trusted = leaf.write(folder), authority.write(folder)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER if server else ssl.PROTOCOL_TLS_CLIENT)
    context.load_cert_chain(files.certificate, files.key)
    context.load_verify_locations(trusted)
    context.verify_mode = ssl.CERT_REQUIRED
    return context


def shake(session: Session, peer: Peer, *, step: int = 1 << 20, borrowed: bool = False) -> str:
    """Shake hands, with at most `step` bytes at a time towards the session; how it ended for the session."""
    result = session.handshake()
    for _round in range(20):
        peer.feed(session.output())
        if result == "failed":
            return result
        peer.handshake()
        data = peer.output()
        if result == "done" and not data:
            return result
        for start in range(0, len(data), step):
            session.feed(data[start : start + step], borrowed)
            if result != "done":
                result = session.handshake()
    raise AssertionError(f"no end of the handshake: {result}")


@pytest.fixture(params=["server", "client"])
def pair(request: pytest.FixtureRequest, leaf: Leaf, authority: Authority, tmp_path: Path) -> tuple[Session, Peer]:
    """A session of either role, and its peer."""
    server = request.param == "server"
    session = Session(session_context(leaf, authority, tmp_path, server=server, trust_domains=("mesh.local",)))
    return session, Peer(peer_context(leaf, authority, tmp_path, server=not server), server_side=not server)


@pytest.mark.parametrize("step", [1, 7, 1000, 1 << 20])
def test_handshake_in_pieces(pair: tuple[Session, Peer], step: int) -> None:
    session, peer = pair
    assert shake(session, peer, step=step) == "done"
    assert session.identity == URI
    session.read()
    assert session.write(b"to the peer")
    peer.feed(session.output())
    assert peer.read() == b"to the peer"
    peer.ssl.write(b"from the peer")
    data = peer.output()
    for start in range(0, len(data), step):
        session.feed(data[start : start + step])
    assert session.read() == (b"from the peer", "want")


def test_borrowed_bytes(pair: tuple[Session, Peer]) -> None:
    session, peer = pair
    assert shake(session, peer) == "done"
    session.read()
    for size in (1, 20_000, 100_000):
        peer.ssl.write(b"x" * size)
        data = peer.output()
        half = len(data) // 2
        session.feed(data[:half], borrowed=True)
        first, result = session.read()
        assert result == "want"
        session.feed(data[half:], borrowed=size % 2 == 0)
        assert first + session.read()[0] == b"x" * size
        assert not session.has_input


def test_close_notify_ends_either_way(pair: tuple[Session, Peer]) -> None:
    session, peer = pair
    assert shake(session, peer) == "done"
    session.read()
    session.close()
    peer.feed(session.output())
    assert peer.read() == b""
    peer.ssl.write(b"still speaking")
    with contextlib.suppress(ssl.SSLWantReadError):
        peer.ssl.unwrap()
    session.feed(peer.output())
    assert session.read() == (b"still speaking", "closed")


def test_record_that_is_none_is_a_failure(pair: tuple[Session, Peer]) -> None:
    session, peer = pair
    assert shake(session, peer) == "done"
    session.read()
    session.feed(b"\x17\x03\x03\x00\x20" + bytes(32))
    assert session.read() == (b"", "failed")
    assert session.failure
    assert session.output(), "the peer is told by an alert"


def test_relaxing_loses_nothing(pair: tuple[Session, Peer]) -> None:
    session, peer = pair
    assert shake(session, peer) == "done"
    session.read()
    for _round in range(3):
        assert session.write(b"y" * 16384)
        peer.feed(session.output())
        peer.ssl.write(b"z" * 30_000)
        data = peer.output()
        session.feed(data[:10_000])
        first, _result = session.read()
        session.relax()
        session.feed(data[10_000:])
        assert first + session.read()[0] == b"z" * 30_000
        assert peer.read() == b"y" * 16384
        session.relax()


def test_client_resumes_with_the_same_endpoint_only(leaf: Leaf, authority: Authority, tmp_path: Path) -> None:
    context = session_context(leaf, authority, tmp_path, server=False)
    server = peer_context(leaf, authority, tmp_path, server=True)
    sessions = []
    for endpoint in ("one", "one", "other", "one"):
        session, peer = Session(context, endpoint), Peer(server, server_side=True)
        sessions.append(session)
        assert shake(session, peer) == "done"
        peer.ssl.write(b"data")
        session.feed(peer.output())
        assert session.read() == (b"data", "want")
        assert session.identity == URI
    assert [each.resumed for each in sessions] == [False, True, False, True]


def test_server_resumes(leaf: Leaf, authority: Authority, tmp_path: Path) -> None:
    context = session_context(leaf, authority, tmp_path, server=True)
    client = peer_context(leaf, authority, tmp_path, server=False)
    first = Peer(client, server_side=False)
    session = Session(context)
    assert shake(session, first) == "done"
    session.write(b"tickets come first")
    first.feed(session.output())
    assert first.read() == b"tickets come first"
    session.destroy()
    second = Session(context)
    assert shake(second, Peer(client, server_side=False, session=first.ssl.session)) == "done"
    assert second.resumed
    assert second.identity == URI
    # Of another context, with keys of its own, the ticket is worth nothing.
    third = Session(session_context(leaf, authority, tmp_path, server=True))
    assert shake(third, Peer(client, server_side=False, session=first.ssl.session)) == "done"
    assert not third.resumed


@pytest.mark.parametrize("server", [True, False])
@pytest.mark.parametrize(
    ("rules", "reason"),
    [
        ({"trust_domains": ("other.local",)}, "foreign trust domain"),
        ({"uris": ("spiffe://mesh.local/ns/default/sa/a",)}, "none of the expected names"),
        ({"dns_names": ("a.mesh.local",)}, "none of the expected names"),
    ],
)
def test_peers_that_the_rules_refuse(
    leaf: Leaf, authority: Authority, tmp_path: Path, *, server: bool, rules: dict[str, tuple[str, ...]], reason: str
) -> None:
    session = Session(session_context(leaf, authority, tmp_path, server=server, **rules))
    peer = Peer(peer_context(leaf, authority, tmp_path, server=not server), server_side=not server)
    try:
        assert shake(session, peer) == "failed"
    except ssl.SSLError as error:
        # The alert, for a server that still waits for the client.
        assert "alert" in str(error).lower()
        assert session.handshake() == "failed"
    assert reason in session.failure
    assert session.peer_refused
    assert not session.established
