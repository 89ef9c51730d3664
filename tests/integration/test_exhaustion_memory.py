"""Memory runs out at every allocation in turn: no crash, a definite end for who is hit, and recovery."""

from collections.abc import Callable

import pytest

from mesh_core.runtime.memory import fail_allocations_after_for_test
from tests.support.peer import Origin, Peer
from tests.support.proxy_headers import v2
from tests.support.running_proxy import RunningProxy
from tests.support.streams import Receiving, Sending, digest
from tests.support.waiting import wait_until

Serve = Callable[..., RunningProxy]
HEADER = SENT = v2(("192.0.2.7", 4711), ("198.51.100.9", 443))


@pytest.mark.parametrize("succeed", range(8))
def test_connecting(serve: Serve, origin: Origin, succeed: int) -> None:
    """From accept to the first bytes, with headers to keep on both sides."""
    proxy = serve(
        origin.address,
        listener={"accept_proxy_protocol": True},
        cluster={"send_proxy_protocol": "v2"},
        access_log=None,
    )
    fail_allocations_after_for_test(succeed)
    clients = [client for _ in range(6) if (client := attempt(proxy))]
    # Each of the six is answered for: open as far as the origin, or reset and counted.
    wait_until(
        lambda: (
            proxy.stats("server")["memory_exhausted"] + proxy.stats("listener", "in")["downstream_cx_active"] == 6
            and proxy.stats("cluster", "app")["upstream_cx_tx_bytes_total"]
            == proxy.stats("listener", "in")["downstream_cx_active"] * len(SENT + b"data")
        ),
        "every connection served or reset",
    )
    fail_allocations_after_for_test(None)
    ended = proxy.stats("server")["memory_exhausted"]
    servers = [origin.accept() for _ in range(proxy.stats("cluster", "app")["upstream_cx_total"])]
    assert sum(server.receive_what_is_there() == SENT + b"data" for server in servers) == 6 - ended
    for each in (*clients, *servers):
        each.close()
    proxy.wait_for_connections(0)
    assert proxy.stats("server")["memory_exhausted"] == ended
    relays(proxy, origin)


@pytest.mark.parametrize("succeed", [0, 1, 2, 3, 5, 9, 17])
def test_under_back_pressure(serve: Serve, origin: Origin, succeed: int) -> None:
    """A stream whose rest cannot be kept is reset; one that can be is whole."""
    # A small buffer keeps to copying, which needs memory for what a reader does not take.
    proxy = serve(origin.address, listener={"buffer_limit_bytes": 16384}, access_log=None)
    pairs = [(proxy.connect(receive_buffer=8192), origin.accept()) for _ in range(3)]
    fail_allocations_after_for_test(succeed)
    sending = [Sending(server, 12 << 20) for _, server in pairs]
    for each in sending:
        each.join(0.3)
    receiving = [Receiving(client) for client, _ in pairs]
    fates = [fate(one) for one in receiving]
    fail_allocations_after_for_test(None)
    for each in sending:
        each.join()
    for client, server in pairs:
        client.close()
        server.close()
    proxy.wait_for_connections(0)
    assert proxy.stats("server")["memory_exhausted"] == fates.count("reset")
    relays(proxy, origin)


def attempt(proxy: RunningProxy) -> Peer | None:
    """A client that has sent its header and data, or None when it was reset before it could."""
    try:
        client = proxy.connect()
    except ConnectionResetError:
        return None
    try:
        client.send(HEADER + b"data")
    except (ConnectionResetError, BrokenPipeError):
        client.close()
        return None
    return client


def fate(receiving: Receiving) -> str:
    """Whether a stream came whole, or was reset; it must not end in any other way."""
    try:
        assert receiving.digest() == digest(12 << 20)
    except ConnectionResetError:
        return "reset"
    return "whole"


def test_access_log_goes_on(serve: Serve, origin: Origin) -> None:
    """Collecting records takes no memory of its own."""
    proxy = serve(origin.address)
    pairs = [(proxy.connect(), origin.accept()) for _ in range(3)]
    fail_allocations_after_for_test(0)
    for client, server in pairs:
        client.close()
        server.close()
    proxy.wait_for_connections(0)
    proxy.records(3)
    fail_allocations_after_for_test(None)


def test_apply_without_memory_changes_nothing(serve: Serve, origin: Origin) -> None:
    """A snapshot that cannot be made leaves the old one at work."""
    proxy = serve(origin.address)
    inner = proxy.proxy
    version = inner.snapshot_version
    for succeed in range(12):
        fail_allocations_after_for_test(succeed)
        with pytest.raises(MemoryError):
            proxy.wait(inner.apply(inner.config))
        fail_allocations_after_for_test(None)
    assert inner.snapshot_version == version
    relays(proxy, origin)


def relays(proxy: RunningProxy, origin: Origin) -> None:
    """The proxy serves as ever."""
    proxied = bool(proxy.proxy.config.listeners[0].accept_proxy_protocol)
    with proxy.connect() as client:
        client.send((HEADER if proxied else b"") + b"fine")
        server: Peer
        with origin.accept() as server:
            client.end()
            assert server.receive_all().endswith(b"fine")
