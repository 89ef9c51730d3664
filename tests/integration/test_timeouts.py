"""Time-outs, each configured short and judged by what it did, never by when."""

from collections.abc import Callable

from tests.support.peer import Origin
from tests.support.running_proxy import RunningProxy

Serve = Callable[..., RunningProxy]


def test_idle(serve: Serve, origin: Origin) -> None:
    """A connection on which nothing moves is cut, on both sides."""
    proxy = serve(origin.address, listener={"idle_timeout_ms": 50})
    with proxy.connect() as client, origin.accept() as server:
        assert client.receive_until_reset() == b""
        assert server.receive_until_reset() == b""
    record = proxy.record()
    assert (record["response_flags"], record["connection_termination_details"]) == ("SI", "idle_timeout")
    assert record["duration"] >= 40
    assert proxy.stats("listener", "in")["downstream_cx_idle_timeout"] == 1


def test_activity_puts_the_idle_timeout_off(serve: Serve, origin: Origin) -> None:
    """Bytes in one direction are enough to keep a connection, many times longer than the time-out."""
    proxy = serve(origin.address, listener={"idle_timeout_ms": 3000})
    with proxy.connect() as client, origin.accept() as server:
        for _ in range(12):
            server.send(b".")
            assert client.receive(1) == b"."
            server.socket.settimeout(0.3)
            try:
                server.socket.recv(1)
            except TimeoutError:
                continue
            raise AssertionError("it was cut")
    assert proxy.record()["duration"] > 3000
    assert proxy.stats("listener", "in")["downstream_cx_idle_timeout"] == 0


def test_idle_half_closed(serve: Serve, origin: Origin) -> None:
    """A half-closed connection is idle like any other."""
    proxy = serve(origin.address, listener={"idle_timeout_ms": 50})
    with proxy.connect() as client, origin.accept() as server:
        client.end()
        server.expect_end()
        assert client.receive_until_reset() == b""
    assert proxy.record()["response_flags"] == "SI"


def test_idle_under_back_pressure(serve: Serve, origin: Origin) -> None:
    """A reader that never reads does not keep a connection for ever."""
    proxy = serve(origin.address, listener={"idle_timeout_ms": 1500})
    with proxy.connect() as client, origin.accept() as server:
        assert server.fill()
        proxy.wait_for_connections(0)
        assert client.receive_until_reset()
    assert proxy.record()["response_flags"] == "SI"


def test_maximum_duration(serve: Serve, origin: Origin) -> None:
    """A busy connection is cut too."""
    proxy = serve(origin.address, listener={"max_connection_duration_ms": 100, "idle_timeout_ms": 0})
    with proxy.connect() as client, origin.accept() as server:
        try:
            while True:
                client.send(b"ping")
                server.receive(4)
                server.send(b"pong")
                client.receive(4)
        except (ConnectionResetError, BrokenPipeError):
            pass
    record = proxy.record()
    assert (record["response_flags"], record["connection_termination_details"]) == ("DT", "max_connection_duration")
    assert record["duration"] >= 90
    assert proxy.stats("listener", "in")["downstream_cx_max_duration_reached"] == 1


def test_proxy_protocol_header_late(serve: Serve, origin: Origin) -> None:
    """A client that sends half a header and no more."""
    proxy = serve(origin.address, listener={"accept_proxy_protocol": True, "proxy_protocol_timeout_ms": 50})
    with proxy.connect() as client:
        client.send(b"PROXY TCP4 ")
        assert client.receive_until_reset() == b""
    record = proxy.record()
    assert (record["response_flags"], record["connection_termination_details"]) == ("DPE", "proxy_protocol_timeout")
    assert proxy.stats("listener", "in")["downstream_cx_proxy_proto_timeout"] == 1
    origin.expect_nobody()


def test_many_timers_at_once(serve: Serve, origin: Origin) -> None:
    """Connections that time out in the same tick all end."""
    proxy = serve(origin.address, listener={"idle_timeout_ms": 200})
    clients = [proxy.connect() for _ in range(100)]
    servers = [origin.accept() for _ in clients]
    for each in (*clients, *servers):
        assert each.receive_until_reset() == b""
        each.close()
    assert {record["response_flags"] for record in proxy.records(100)} == {"SI"}
