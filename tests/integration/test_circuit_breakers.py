"""Circuit breakers: what is over a bound is refused, over all workers, and a place is free again once one has ended."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.configs import cluster, config, listener
from tests.support.peer import Origin, connect
from tests.support.running_proxy import RunningProxy

Serve = Callable[..., RunningProxy]


@pytest.mark.parametrize("workers", [1, 2])
def test_max_connections(serve: Serve, origin: Origin, workers: int) -> None:
    """No more than three ever arrive."""
    proxy = serve(origin.address, cluster={"circuit_breakers": {"max_connections": 3}}, workers=workers)
    kept = [(proxy.connect(), origin.accept()) for _ in range(3)]
    for _ in range(10):
        proxy.turns_away()
    assert {record["response_flags"] for record in proxy.records(10)} == {"UO"}
    assert {record["connection_termination_details"] for record in proxy.records(10)} == {"upstream_overflow"}
    assert proxy.stats("cluster", "app")["upstream_cx_overflow"] == 10
    assert proxy.stats("cluster", "app")["upstream_cx_total"] == 3
    gauges = proxy.gauges()
    assert gauges["circuit_breakers.default.cx_open"] == 1
    assert gauges["circuit_breakers.default.remaining_cx"] == 0
    origin.expect_nobody()
    for client, server in kept:
        client.send(b"still here")
        assert server.receive(10) == b"still here"
        client.close()
        server.close()
    proxy.wait_for_connections(0)
    gauges = proxy.gauges()
    assert gauges["circuit_breakers.default.cx_open"] == 0
    assert gauges["circuit_breakers.default.remaining_cx"] == 3
    with proxy.connect() as client, origin.accept() as server:
        client.send(b"again")
        assert server.receive(5) == b"again"


@pytest.mark.parametrize("workers", [1, 2])
def test_max_pending(serve: Serve, workers: int) -> None:
    """Two wait for an endpoint that does not answer; more are not let in. Once they are open, others may wait."""
    with Origin(backlog=0) as origin:
        waiting = connect(origin.address)
        proxy = serve(
            origin.address, cluster={"circuit_breakers": {"max_pending_connections": 2}}, workers=workers
        )
        clients = [proxy.connect() for _ in range(2)]
        proxy.wait_for_stat(2, "upstream_cx_total", "cluster", "app")
        for _ in range(5):
            proxy.turns_away()
        assert {record["connection_termination_details"] for record in proxy.records(5)} == {
            "upstream_pending_overflow"
        }
        assert {record["response_flags"] for record in proxy.records(5)} == {"UO"}
        assert proxy.stats("cluster", "app")["upstream_cx_pending_overflow"] == 5
        gauges = proxy.gauges()
        assert gauges["circuit_breakers.default.cx_pending_open"] == 1
        assert gauges["circuit_breakers.default.remaining_cx_pending"] == 0
        # The refused ones hold no place among the connections either.
        assert gauges["circuit_breakers.default.remaining_cx"] == 1022
        for each in (waiting, *clients):
            each.reset()
        proxy.wait_for_connections(0)
        assert proxy.gauges()["circuit_breakers.default.remaining_cx_pending"] == 2


def test_the_limit_is_the_clusters(start: Callable[..., RunningProxy], origin: Origin, tmp_path: Path) -> None:
    """Listeners that send to the same cluster share it; another cluster has its own."""
    limits = {"circuit_breakers": {"max_connections": 1}}
    proxy = start(
        config(
            [listener("a"), listener("b"), listener("c", cluster="other")],
            [cluster([origin.address], **limits), cluster([origin.address], name="other", **limits)],
            tmp_path,
        )
    )
    with proxy.connect("a"), origin.accept():
        proxy.turns_away("b")
        with proxy.connect("c") as client, origin.accept() as server:
            client.send(b"mine")
            assert server.receive(4) == b"mine"


def test_the_limit_changes_with_the_configuration(
    start: Callable[..., RunningProxy], origin: Origin, tmp_path: Path
) -> None:
    """Connections that are open count under a new limit."""

    def limited(limit: int) -> dict:
        breakers = {"circuit_breakers": {"max_connections": limit}}
        return config([listener()], [cluster([origin.address], **breakers)], tmp_path)

    proxy = start(limited(2))
    with proxy.connect(), proxy.connect(), origin.accept(), origin.accept():
        proxy.apply(limited(1))
        proxy.turns_away()
        proxy.apply(limited(3))
        with proxy.connect() as client, origin.accept() as server:
            client.send(b"room")
            assert server.receive(4) == b"room"
    proxy.wait_for_connections(0)


def test_a_retry_keeps_its_place(serve: Serve, origin: Origin, tmp_path: Path) -> None:
    """Who has been let in once is not refused by the breaker between two attempts."""
    proxy = serve(
        f"unix:{tmp_path / 'nothing'}",
        origin.address,
        cluster={"circuit_breakers": {"max_connections": 1, "max_pending_connections": 1}},
    )
    for _ in range(4):
        with proxy.connect() as client, origin.accept() as server:
            client.send(b"in")
            assert server.receive(2) == b"in"
        proxy.wait_for_connections(0)
    assert proxy.stats("cluster", "app")["upstream_cx_overflow"] == 0
    assert proxy.stats("cluster", "app")["upstream_cx_retry_success"] >= 2
