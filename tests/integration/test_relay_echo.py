"""What goes in comes out: sizes, shapes and orders of exchange that a relay must not care about."""

import random
import threading
from collections.abc import Callable

import pytest

from tests.support.peer import Origin, Peer
from tests.support.running_proxy import RunningProxy
from tests.support.streams import Receiving, Sending, digest

Serve = Callable[..., RunningProxy]


def pair(proxy: RunningProxy, origin: Origin) -> tuple[Peer, Peer]:
    """A client and, at the other end of the proxy, the origin's side."""
    client = proxy.connect()
    return client, origin.accept()


def finish(client: Peer, server: Peer) -> None:
    """End a connection as both sides wish."""
    client.end()
    server.expect_end()
    server.end()
    client.expect_end()
    client.close()
    server.close()


def test_random_sizes_both_ways(serve: Serve, kind: str, origin_of_kind: Origin) -> None:
    """Streams of random sizes pass in both directions at once, unchanged, and are counted."""
    proxy = serve(origin_of_kind.address, kind=kind)
    sizes = random.Random(kind)
    up_total = down_total = 0
    for _ in range(12):
        up, down = (int(2 ** sizes.uniform(0, 20)) for _ in range(2))
        client, server = pair(proxy, origin_of_kind)
        with client, server:
            sending = [Sending(client, up, start=up), Sending(server, down, start=down)]
            at_server, at_client = Receiving(server), Receiving(client)
            assert at_server.digest() == digest(up, start=up)
            assert at_client.digest() == digest(down, start=down)
            for each in sending:
                each.done()
        up_total, down_total = up_total + up, down_total + down
    proxy.wait_for_connections(0)
    listener, cluster = proxy.stats("listener", "in"), proxy.stats("cluster", "app")
    assert listener["downstream_cx_total"] == cluster["upstream_cx_total"] == 12
    assert listener["downstream_cx_active"] == cluster["upstream_cx_active"] == 0
    assert listener["downstream_cx_rx_bytes_total"] == cluster["upstream_cx_tx_bytes_total"] == up_total
    assert listener["downstream_cx_tx_bytes_total"] == cluster["upstream_cx_rx_bytes_total"] == down_total
    records = proxy.records(12)
    assert {record["response_flags"] for record in records} == {"-"}
    assert sum(record["bytes_received"] for record in records) == up_total
    assert sum(record["bytes_sent"] for record in records) == down_total


def test_single_bytes_ping_pong(serve: Serve, kind: str, origin_of_kind: Origin) -> None:
    """Each byte is passed on by itself, without waiting for more."""
    proxy = serve(origin_of_kind.address, kind=kind)
    client, server = pair(proxy, origin_of_kind)
    for number in range(200):
        byte = bytes([number])
        client.send(byte)
        assert server.receive(1) == byte
        server.send(byte)
        assert client.receive(1) == byte
    finish(client, server)


def test_server_speaks_first(serve: Serve, kind: str, origin_of_kind: Origin) -> None:
    """A protocol such as SMTP's: the client waits for the greeting."""
    proxy = serve(origin_of_kind.address, kind=kind)
    client, server = pair(proxy, origin_of_kind)
    server.send(b"220 ready\r\n")
    assert client.receive(11) == b"220 ready\r\n"
    client.send(b"QUIT\r\n")
    assert server.receive(6) == b"QUIT\r\n"
    finish(client, server)


def test_empty_connection(serve: Serve, kind: str, origin_of_kind: Origin) -> None:
    """A connection that carries nothing reaches the origin and ends without a flag."""
    proxy = serve(origin_of_kind.address, kind=kind)
    finish(*pair(proxy, origin_of_kind))
    record = proxy.record()
    assert (record["bytes_received"], record["bytes_sent"], record["response_flags"]) == (0, 0, "-")


def test_data_before_the_origin_accepts(serve: Serve, origin: Origin) -> None:
    """What the client sends at once, with its end behind it, waits for the origin."""
    proxy = serve(origin.address)
    client = proxy.connect()
    client.send(b"all there is")
    client.end()
    server = origin.accept()
    assert server.receive_all() == b"all there is"
    server.send(b"answer")
    server.close()
    assert client.receive_all() == b"answer"
    client.close()


@pytest.mark.parametrize("workers", [1, 2])
def test_many_connections_at_once(serve: Serve, origin: Origin, workers: int) -> None:
    """Connections do not mix, whichever worker has them."""
    proxy = serve(origin.address, workers=workers)
    clients = [proxy.connect() for _ in range(60)]
    for number, client in enumerate(clients):
        client.send(number.to_bytes(2, "big"))
    servers = {server.receive(2): server for server in (origin.accept() for _ in clients)}
    assert len(servers) == len(clients) == proxy.proxy.active_connections
    for name, server in servers.items():
        server.send(name * 3)
    for number, client in enumerate(clients):
        assert client.receive(6) == number.to_bytes(2, "big") * 3
        finish(client, servers[number.to_bytes(2, "big")])
    proxy.wait_for_connections(0)


def test_round_robin_over_endpoints(serve: Serve) -> None:
    """With one worker, endpoints take strict turns."""
    with Origin() as first, Origin() as second:
        proxy = serve(first.address, second.address)
        clients = [proxy.connect() for _ in range(6)]
        servers = [origin.accept() for _ in range(3) for origin in (first, second)]
        first.expect_nobody()
        second.expect_nobody()
        for peer in (*clients, *servers):
            peer.close()
        proxy.wait_for_connections(0)
        assert proxy.stats("endpoint", "app", first.address)["cx_total"] == 3
        assert proxy.stats("endpoint", "app", second.address)["cx_total"] == 3


def test_threads_of_the_proxy_end_with_it(serve: Serve, origin: Origin) -> None:
    """Nothing runs on after `close`."""
    before = threading.active_count()
    proxy = serve(origin.address, workers=2)
    assert threading.active_count() > before
    proxy.close()
    assert threading.active_count() == before
