"""A half-close stays a half-close, in either direction and in any order."""

from collections.abc import Callable

from tests.support.peer import Origin
from tests.support.running_proxy import RunningProxy
from tests.support.streams import Receiving, Sending, digest

Serve = Callable[..., RunningProxy]


def test_client_ends_first(serve: Serve, kind: str, origin_of_kind: Origin) -> None:
    """The server answers after it has seen the client's end."""
    proxy = serve(origin_of_kind.address, kind=kind)
    with proxy.connect() as client, origin_of_kind.accept() as server:
        client.send(b"question")
        client.end()
        assert server.receive_all() == b"question"
        for _ in range(3):
            server.send(b"answer")
            assert client.receive(6) == b"answer"
        server.end()
        client.expect_end()
    assert proxy.record()["response_flags"] == "-"


def test_server_ends_first(serve: Serve, kind: str, origin_of_kind: Origin) -> None:
    """The client goes on after it has seen the server's end."""
    proxy = serve(origin_of_kind.address, kind=kind)
    with proxy.connect() as client, origin_of_kind.accept() as server:
        server.send(b"greeting")
        server.end()
        assert client.receive_all() == b"greeting"
        for _ in range(3):
            client.send(b"more")
            assert server.receive(4) == b"more"
        client.end()
        server.expect_end()
    assert proxy.record()["response_flags"] == "-"


def test_both_end_at_once(serve: Serve, kind: str, origin_of_kind: Origin) -> None:
    """Ends that cross each other on the way."""
    proxy = serve(origin_of_kind.address, kind=kind)
    with proxy.connect() as client, origin_of_kind.accept() as server:
        client.send(b"up")
        server.send(b"down")
        client.end()
        server.end()
        assert client.receive_all() == b"down"
        assert server.receive_all() == b"up"
    assert proxy.record()["response_flags"] == "-"


def test_end_behind_a_long_stream(serve: Serve, kind: str, origin_of_kind: Origin) -> None:
    """The end waits behind everything that a slow reader has not taken, and the answer still comes."""
    proxy = serve(origin_of_kind.address, kind=kind)
    size = 24 << 20
    with proxy.connect() as client, origin_of_kind.accept() as server:
        sending = Sending(client, size)
        assert server.receive(1) is not None
        receiving = Receiving(server)
        receiving.done()
        sending.done()
        assert receiving.received == size - 1
        answer, got = Sending(server, size, start=7), Receiving(client)
        assert got.digest() == digest(size, start=7)
        answer.done()


def test_end_long_after_the_other_one(serve: Serve, origin: Origin) -> None:
    """A half-closed connection stays as long as the other half is in use."""
    proxy = serve(origin.address)
    with proxy.connect() as client, origin.accept() as server:
        client.end()
        server.expect_end()
        with proxy.connect() as other, origin.accept() as other_server:
            other.send(b"x")
            assert other_server.receive(1) == b"x"
        assert proxy.proxy.active_connections >= 1
        server.send(b"late")
        server.close()
        assert client.receive_all() == b"late"
    proxy.wait_for_connections(0)


def test_full_close_of_the_server(serve: Serve, origin: Origin) -> None:
    """A server that closes for good: the client reads all it said, and then its end."""
    proxy = serve(origin.address)
    with proxy.connect() as client, origin.accept() as server:
        client.send(b"question")
        assert server.receive(8) == b"question"
        server.send(b"answer" * 1000)
        server.close()
        assert client.receive_all() == b"answer" * 1000
    proxy.wait_for_connections(0)
