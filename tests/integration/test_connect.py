"""The way to the upstream: refused, too slow, nowhere to go, and what the client does meanwhile."""

from collections.abc import Callable

import pytest

from tests.support.peer import Origin, Peer, connect, refusing
from tests.support.running_proxy import RunningProxy

Serve = Callable[..., RunningProxy]

# Here one attempt is looked at; test_retries.py looks at more.
ONCE = {"retry": {"max_connect_attempts": 1}}


def fill_backlog(origin: Origin) -> Peer:
    """Fill the queue of an origin whose backlog is 0: it has room for one, and further handshakes go unanswered."""
    return connect(origin.address)


def test_refused(serve: Serve, kind: str, tmp_path) -> None:
    """The client is reset, and the record says why."""
    address = {"ipv4": "127.0.0.1:0", "ipv6": "[::1]:0", "unix": f"unix:{tmp_path / 'o'}"}
    with refusing(address.get(kind, f"unix:@hopmesh-{tmp_path}")) as endpoint:
        proxy = serve(endpoint, cluster=ONCE)
        proxy.turns_away()
        record = proxy.record()
        assert (record["response_flags"], record["connection_termination_details"]) == ("UF", "connect_failed")
        assert record["upstream_transport_failure_reason"] == "Connection refused"
        assert record["upstream_host"] == endpoint
        assert record["upstream_connect_time"] is None
        assert proxy.stats("cluster", "app")["upstream_cx_connect_fail"] == 1
        assert proxy.stats("endpoint", "app", endpoint)["cx_connect_fail"] == 1
        assert proxy.stats("cluster", "app")["upstream_cx_active"] == 0


def test_no_such_unix_socket(serve: Serve, tmp_path) -> None:
    """An endpoint whose file is not there."""
    proxy = serve(f"unix:{tmp_path / 'nothing'}")
    proxy.turns_away()
    assert proxy.record()["upstream_transport_failure_reason"] == "No such file or directory"


def test_no_endpoints(serve: Serve) -> None:
    """A cluster without endpoints resets every connection."""
    proxy = serve()
    proxy.turns_away()
    record = proxy.record()
    assert (record["response_flags"], record["connection_termination_details"]) == ("UH", "no_endpoint")
    assert record["upstream_host"] is None
    assert proxy.stats("cluster", "app")["upstream_cx_none_healthy"] == 1


def test_connect_timeout(serve: Serve) -> None:
    """An endpoint that does not answer the handshake."""
    with Origin(backlog=0) as origin:
        waiting = fill_backlog(origin)
        proxy = serve(origin.address, cluster={"connect_timeout_ms": 100, **ONCE})
        with proxy.connect() as client:
            client.send(b"patience")
            assert client.receive_until_reset() == b""
        waiting.close()
        record = proxy.record()
        assert (record["response_flags"], record["connection_termination_details"]) == ("UF", "connect_timeout")
        assert record["upstream_transport_failure_reason"] == "Connection timed out"
        assert proxy.stats("cluster", "app")["upstream_cx_connect_timeout"] == 1


def test_client_resets_while_connecting(serve: Serve) -> None:
    """The attempt is given up."""
    with Origin(backlog=0) as origin:
        waiting = fill_backlog(origin)
        proxy = serve(origin.address)
        client = proxy.connect()
        proxy.wait_for_connections(1)
        client.reset()
        record = proxy.record()
        assert (record["response_flags"], record["connection_termination_details"]) == ("DC", "downstream_reset")
        assert proxy.stats("cluster", "app")["upstream_cx_active"] == 0
        waiting.close()


def test_unix_endpoint_with_a_full_queue(serve: Serve, tmp_path) -> None:
    """A Unix socket refuses when its queue is full; the proxy waits for room instead."""
    with Origin(f"unix:{tmp_path / 'origin'}", backlog=0) as origin:
        waiting = fill_backlog(origin)
        proxy = serve(origin.address)
        with proxy.connect() as client:
            client.send(b"hello")
            proxy.wait_for_stat(1, "upstream_cx_total", "cluster", "app")
            origin.accept().close()
            with origin.accept() as server:
                assert server.receive(5) == b"hello"
                server.send(b"at last")
                assert client.receive(7) == b"at last"
        waiting.close()


def test_unix_endpoint_whose_queue_stays_full(serve: Serve, tmp_path) -> None:
    """It is given up like any other that does not answer."""
    with Origin(f"unix:{tmp_path / 'origin'}", backlog=0) as origin:
        waiting = fill_backlog(origin)
        proxy = serve(origin.address, cluster={"connect_timeout_ms": 100, **ONCE})
        proxy.turns_away()
        waiting.close()
        assert proxy.record()["connection_termination_details"] == "connect_timeout"


@pytest.mark.parametrize("ends", [False, True], ids=["reset", "end-and-reset"])
def test_upstream_is_gone_before_it_is_noticed(serve: Serve, mounting: str, ends: bool) -> None:
    """An answer and a reset that are there when the connect is looked at: the answer is passed on, then the reset."""
    if mounting != "inline":
        pytest.skip("only inline can a test stop the worker at that moment")
    with Origin(backlog=0) as origin:
        waiting = fill_backlog(origin)
        proxy = serve(origin.address)
        with proxy.connect() as client:
            proxy.wait_for_stat(1, "upstream_cx_total", "cluster", "app")
            with proxy.held():
                origin.accept().close()
                with origin.accept() as server:
                    server.send(b"answer")
                    if ends:
                        server.end()
                    server.reset()
            assert client.receive_until_reset() == b"answer"
        waiting.close()
        assert proxy.record()["response_flags"] == "UC"
