"""A reset on one side reaches the other as a reset, and the record says whose it was."""

from collections.abc import Callable

import pytest

from tests.support.peer import Origin
from tests.support.running_proxy import RunningProxy
from tests.support.streams import Sending
from tests.support.waiting import wait_until

Serve = Callable[..., RunningProxy]


@pytest.mark.parametrize("idle", [True, False], ids=["idle", "after-data"])
def test_downstream_resets(serve: Serve, origin: Origin, idle: bool) -> None:
    """The upstream sees a reset, not an end."""
    proxy = serve(origin.address)
    client, server = proxy.connect(), origin.accept()
    with client, server:
        if not idle:
            client.send(b"half a requ")
            assert server.receive(11) == b"half a requ"
        client.reset()
        assert server.receive_until_reset() == b""
    record = proxy.record()
    assert (record["response_flags"], record["connection_termination_details"]) == ("DC", "downstream_reset")
    assert proxy.stats("listener", "in")["downstream_cx_reset"] == 1
    assert proxy.stats("cluster", "app")["upstream_cx_reset"] == 0


@pytest.mark.parametrize("idle", [True, False], ids=["idle", "after-data"])
def test_upstream_resets(serve: Serve, origin: Origin, idle: bool) -> None:
    """The downstream sees a reset, behind all that the upstream had said."""
    proxy = serve(origin.address)
    with proxy.connect() as client, origin.accept() as server:
        if not idle:
            server.send(b"half an ans")
            assert client.receive(11) == b"half an ans"
        server.reset()
        assert client.receive_until_reset() == b""
    record = proxy.record()
    assert (record["response_flags"], record["connection_termination_details"]) == ("UC", "upstream_reset")
    assert proxy.stats("cluster", "app")["upstream_cx_reset"] == 1
    assert proxy.stats("listener", "in")["downstream_cx_reset"] == 0


def test_upstream_answers_and_resets(serve: Serve, origin: Origin) -> None:
    """The answer reaches the client before the reset does, however close behind that comes."""
    proxy = serve(origin.address)
    for _ in range(30):
        with proxy.connect() as client, origin.accept() as server:
            client.send(b"question")
            server.receive(8)
            server.send(b"answer")
            server.reset()
            assert client.receive_until_reset() == b"answer"
    assert {record["response_flags"] for record in proxy.records(30)} == {"UC"}


def test_upstream_closes_without_reading(serve: Serve, origin: Origin) -> None:
    """A server that answers early and goes, as HTTP servers do on a request that is too long."""
    proxy = serve(origin.address)
    with proxy.connect() as client, origin.accept() as server:
        client.send(b"x" * 10000)
        server.receive(1)
        server.send(b"413")
        server.close()  # with bytes unread: the kernel resets
        assert client.receive_until_reset() == b"413"
    assert proxy.record()["bytes_sent"] == 3


@pytest.mark.parametrize("who", ["source", "sink"])
@pytest.mark.parametrize("up", [True, False], ids=["up", "down"])
def test_reset_under_back_pressure(serve: Serve, origin: Origin, who: str, up: bool) -> None:
    """A reset passes although one side has not read for long, whichever side it comes from."""
    proxy = serve(origin.address)
    with proxy.connect() as client, origin.accept() as server:
        source, sink = (client, server) if up else (server, client)
        sent = source.fill()
        assert sent
        (source if who == "source" else sink).reset()
        if who == "sink":
            with pytest.raises(ConnectionResetError):
                Sending(source, 64 << 20).done()
        else:
            assert len(sink.receive_until_reset()) <= sent
    record = proxy.record()
    downstream_was_it = up == (who == "source")
    assert record["response_flags"] == ("DC" if downstream_was_it else "UC")


@pytest.mark.parametrize("up", [True, False], ids=["up", "down"])
def test_reset_after_half_close(serve: Serve, origin: Origin, up: bool) -> None:
    """A side that has ended its stream can still reset the connection."""
    proxy = serve(origin.address)
    with proxy.connect() as client, origin.accept() as server:
        first, second = (client, server) if up else (server, client)
        first.end()
        second.expect_end()
        second.send(b"unread")
        wait_until(lambda: first.socket.recv(1, 2), "it has come")  # MSG_PEEK
        first.close()  # with bytes unread: the kernel resets
        with pytest.raises((ConnectionResetError, BrokenPipeError)):
            wait_until(lambda: second.socket.send(b"x") < 0, "the reset has come")
    assert proxy.record()["response_flags"] == ("DC" if up else "UC")


@pytest.mark.parametrize("up", [True, False], ids=["up", "down"])
def test_reset_of_the_side_that_has_not_ended(serve: Serve, origin: Origin, up: bool) -> None:
    """One side has ended; the other one resets instead of answering."""
    proxy = serve(origin.address)
    with proxy.connect() as client, origin.accept() as server:
        first, second = (client, server) if up else (server, client)
        first.end()
        second.expect_end()
        second.reset()
        assert first.receive_until_reset() == b""
    assert proxy.record()["response_flags"] == ("UC" if up else "DC")


@pytest.mark.parametrize("where", ["unix", "abstract"])
def test_unix_peer_gone(serve: Serve, tmp_path, where: str) -> None:
    """On a Unix socket a peer that closes with bytes unread is as good as a reset."""
    address = f"unix:{tmp_path / 'origin'}" if where == "unix" else f"unix:@hopmesh-{tmp_path}"
    with Origin(address) as origin:
        proxy = serve(origin.address)
        with proxy.connect() as client, origin.accept() as server:
            client.send(b"question")
            wait_until(lambda: server.socket.recv(1, 2), "it has come")  # MSG_PEEK
            server.close()
            assert client.receive_until_reset() == b""
        assert proxy.record()["response_flags"] == "UC"


def test_the_process_goes_on_after_many_resets(serve: Serve, origin: Origin) -> None:
    """Resets at any moment leave nothing behind."""
    proxy = serve(origin.address)
    for number in range(100):
        client = proxy.connect()
        if number % 3:
            client.send(b"x" * number)
        if number % 2:
            server = origin.accept()
            (server if number % 4 == 1 else client).reset()
            server.close()
            client.close()
        else:
            client.reset()
            origin.accept().close()
    proxy.wait_for_connections(0)
    with proxy.connect() as client, origin.accept() as server:
        client.send(b"fine")
        assert server.receive(4) == b"fine"


@pytest.mark.parametrize("up", [True, False], ids=["up", "down"])
def test_last_words_and_end_and_reset_seen_at_once(serve: Serve, origin: Origin, up: bool) -> None:
    """An end of stream does not hide the reset right behind it: the connection is over, not half-closed."""
    proxy = serve(origin.address)
    with proxy.connect() as client, origin.accept() as server:
        first, second = (client, server) if up else (server, client)
        first.send(b"hello")
        assert second.receive(5) == b"hello"
        with proxy.held():
            first.send(b"last words")
            first.end()
            first.reset()
        # Whether the end or the reset is seen behind it depends on which the proxy was given first.
        assert second.receive_what_comes() == b"last words"
        assert proxy.record()["response_flags"] == ("DC" if up else "UC")
