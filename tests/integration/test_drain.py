"""Drain and close: nobody new, those who are there may finish, the rest is reset at the limit."""

from collections.abc import Callable

import pytest

from tests.support.peer import Origin, refused
from tests.support.running_proxy import RunningProxy
from tests.support.waiting import LIMIT_S

Serve = Callable[..., RunningProxy]


def test_drain_listeners(serve: Serve, kind: str, origin_of_kind: Origin) -> None:
    """New connections are refused, old ones go on."""
    proxy = serve(origin_of_kind.address, kind=kind)
    address = proxy.address()
    with proxy.connect() as client, origin_of_kind.accept() as server:
        client.send(b"1")
        assert server.receive(1) == b"1"
        proxy.wait(proxy.proxy.drain_listeners())
        assert proxy.proxy.state == "draining"
        assert refused(address)
        assert proxy.proxy.listener_addresses == {}
        server.send(b"2")
        assert client.receive(1) == b"2"
        proxy.wait(proxy.proxy.drain_listeners())


def test_drain_serves_the_accept_queue(serve: Serve, origin: Origin) -> None:
    """A connection whose handshake was complete before the drain began is served."""
    proxy = serve(origin.address)
    with proxy.held():
        clients = [proxy.connect() for _ in range(40)]
        drained = proxy.start(proxy.proxy.drain_listeners())
    drained.result(LIMIT_S)
    servers = [origin.accept() for _ in clients]
    for client in clients:
        client.send(b"served")
    for each in servers:
        assert each.receive(6) == b"served"
    for each in (*clients, *servers):
        each.close()


def test_drain_waits_for_the_last_one(serve: Serve, origin: Origin) -> None:
    """It returns when the last connection has ended by itself."""
    proxy = serve(origin.address, workers=2)
    pairs = [(proxy.connect(), origin.accept()) for _ in range(5)]
    draining = proxy.start(proxy.proxy.drain(60_000))
    for client, server in pairs:
        assert not draining.done()
        client.send(b"bye")
        assert server.receive(3) == b"bye"
        client.close()
        server.close()
    assert draining.result(LIMIT_S) == 0
    assert {record["response_flags"] for record in proxy.records(5)} == {"-"}


def test_drain_limit(serve: Serve, origin: Origin) -> None:
    """What is left at the limit is reset, and said to have been."""
    proxy = serve(origin.address)
    with proxy.connect() as client, origin.accept() as server:
        assert proxy.wait(proxy.proxy.drain(50)) == 1
        assert client.receive_until_reset() == b""
        assert server.receive_until_reset() == b""
        record = proxy.record()
        assert (record["response_flags"], record["connection_termination_details"]) == ("DC", "drain_limit")


def test_drain_without_connections(serve: Serve, origin: Origin) -> None:
    """There is nothing to wait for."""
    assert (proxy := serve(origin.address)).wait(proxy.proxy.drain(60_000)) == 0


@pytest.mark.parametrize("workers", [1, 2])
def test_close_resets_what_is_open(serve: Serve, origin: Origin, workers: int) -> None:
    """Connections in every phase and with bytes in every buffer are reset, and nothing is left of them."""
    proxy = serve(origin.address, workers=workers)
    idle, idle_server = proxy.connect(), origin.accept()
    full, full_server = proxy.connect(), origin.accept()
    full.fill()
    half, half_server = proxy.connect(), origin.accept()
    half.end()
    half_server.expect_end()
    proxy.close()
    for each in (idle, idle_server, half):
        assert each.receive_until_reset() == b""
    for each in (idle, idle_server, full, full_server, half, half_server):
        each.close()
    records = proxy.records(3)
    assert {record["connection_termination_details"] for record in records} == {"drain_limit"}


def test_close_twice_and_before_start(serve: Serve, origin: Origin) -> None:
    """It may be called at any time."""
    proxy = serve(origin.address)
    inner = proxy.proxy
    proxy.wait(inner.close())
    assert inner.state == "closed"
    proxy.close()


def test_close_while_a_change_is_under_way(serve: Serve, origin: Origin) -> None:
    """Whoever waits for a change or a drain is told, and does not wait for ever."""
    proxy = serve(origin.address)
    inner = proxy.proxy
    with proxy.connect(), origin.accept():
        with proxy.held():
            waiting = [proxy.start(inner.apply(inner.config)), proxy.start(inner.drain(60_000))]
            closed = proxy.start(inner.close())
        closed.result(LIMIT_S)
        for each in waiting:
            # How they end depends on how far they were; that they do is what counts.
            each.exception(LIMIT_S)
