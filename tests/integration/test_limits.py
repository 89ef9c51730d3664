"""Connection limits: one more is accepted, counted and reset, and a place is free again once one has ended."""

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.configs import cluster, config, listener
from tests.support.peer import Origin
from tests.support.running_proxy import RunningProxy

Serve = Callable[..., RunningProxy]


@pytest.mark.parametrize("workers", [1, 2])
def test_listener_limit(serve: Serve, origin: Origin, workers: int) -> None:
    """The limit holds over all workers together."""
    proxy = serve(origin.address, listener={"max_connections": 3}, workers=workers)
    kept = [(proxy.connect(), origin.accept()) for _ in range(3)]
    for _ in range(10):
        proxy.turns_away()
    assert proxy.stats("listener", "in")["downstream_cx_overflow"] == 10
    assert proxy.stats("listener", "in")["downstream_cx_active"] == 3
    assert {record["response_flags"] for record in proxy.records(10)} == {"OM"}
    assert {record["connection_termination_details"] for record in proxy.records(10)} == {"connection_limit"}
    origin.expect_nobody()
    for client, server in kept:
        client.send(b"still here")
        assert server.receive(10) == b"still here"
        client.close()
        server.close()
    proxy.wait_for_connections(0)
    with proxy.connect() as client, origin.accept() as server:
        client.send(b"again")
        assert server.receive(5) == b"again"


def test_process_limit(start: Callable[..., RunningProxy], origin: Origin, tmp_path: Path) -> None:
    """The limit of the process counts what all listeners have; each frees its place."""
    proxy = start(
        config([listener("a"), listener("b")], [cluster([origin.address])], tmp_path, max_connections=2, workers=2)
    )
    for _ in range(3):
        with proxy.connect("a") as first, proxy.connect("b") as second, origin.accept(), origin.accept():
            for name in ("a", "b"):
                proxy.turns_away(name)
            first.end()
            second.end()
        proxy.wait_for_connections(0)
    assert proxy.stats("listener", "a")["downstream_cx_overflow"] == 3
    assert proxy.stats("listener", "b")["downstream_cx_overflow"] == 3


def test_limit_changes_with_the_configuration(
    start: Callable[..., RunningProxy], origin: Origin, tmp_path: Path
) -> None:
    """Connections that are open count under a new limit."""

    def limited(limit: int) -> dict:
        return config([listener(max_connections=limit)], [cluster([origin.address])], tmp_path)

    proxy = start(limited(2))
    with proxy.connect(), proxy.connect(), origin.accept(), origin.accept():
        proxy.apply(limited(1))
        proxy.turns_away()
        proxy.apply(limited(3))
        with proxy.connect() as client, origin.accept() as server:
            client.send(b"room")
            assert server.receive(4) == b"room"
    proxy.wait_for_connections(0)
