"""Taking an endpoint out of a cluster: its connections end by themselves, or are closed, as configured."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.configs import cluster, config, listener
from tests.support.peer import Origin
from tests.support.running_proxy import RunningProxy

Start = Callable[..., RunningProxy]


@pytest.fixture
def other() -> Origin:
    """A second origin."""
    with Origin() as made:
        yield made


def settings(folder: Path, *endpoints: str, **more: object) -> dict:
    return config([listener()], [cluster(endpoints, **more)], folder, workers=2)


def test_drain(start: Start, origin: Origin, other: Origin, tmp_path: Path) -> None:
    """By default a connection goes on to the endpoint that it has."""
    proxy = start(settings(tmp_path, origin.address))
    with proxy.connect() as client, origin.accept() as server:
        proxy.apply(settings(tmp_path, other.address))
        client.send(b"still yours")
        assert server.receive(11) == b"still yours"
        with proxy.connect() as late, other.accept() as taker:
            late.send(b"new")
            assert taker.receive(3) == b"new"


def test_close(start: Start, origin: Origin, other: Origin, tmp_path: Path) -> None:
    """Only those of the endpoint that went are reset."""
    rule = {"on_endpoint_removal": "close"}
    proxy = start(settings(tmp_path, origin.address, **rule))
    with proxy.connect() as client, origin.accept() as server:
        client.send(b"hello")
        assert server.receive(5) == b"hello"
        proxy.apply(settings(tmp_path, origin.address, other.address, **rule))
        client.send(b"again")
        assert server.receive(5) == b"again"
        proxy.apply(settings(tmp_path, other.address, **rule))
        client.receive_until_reset()
        server.receive_until_reset()
    record = proxy.record()
    assert (record["response_flags"], record["connection_termination_details"]) == ("UC", "endpoint_removed")
    assert proxy.stats("cluster", "app")["upstream_cx_endpoint_closed"] == 1
    proxy.wait_for_connections(0)


def test_a_cluster_that_goes(start: Start, origin: Origin, other: Origin, tmp_path: Path) -> None:
    """Its endpoints go with it."""
    first = cluster([origin.address], on_endpoint_removal="close")
    second = cluster([other.address], name="next")
    proxy = start(config([listener()], [first], tmp_path))
    with proxy.connect() as client, origin.accept():
        proxy.apply(config([listener(cluster="next")], [second], tmp_path))
        client.receive_until_reset()
    assert proxy.record()["connection_termination_details"] == "endpoint_removed"


def test_back_again(start: Start, origin: Origin, other: Origin, tmp_path: Path) -> None:
    """An endpoint that returns serves as before, while connections of its first time are still open."""
    proxy = start(settings(tmp_path, origin.address))
    with proxy.connect() as client, origin.accept() as server:
        proxy.apply(settings(tmp_path, other.address))
        proxy.apply(settings(tmp_path, origin.address, on_endpoint_removal="close"))
        for _ in range(2):
            with proxy.connect() as late, origin.accept() as taker:
                late.send(b"new")
                assert taker.receive(3) == b"new"
        client.send(b"old")
        assert server.receive(3) == b"old"
    proxy.wait_for_connections(0)
    assert {record["response_flags"] for record in proxy.records(3)} == {"-"}


def test_the_configuration_that_a_connection_began_with_counts(
    start: Start, origin: Origin, other: Origin, tmp_path: Path
) -> None:
    """Whoever began under drain drains."""
    proxy = start(settings(tmp_path, origin.address))
    with proxy.connect() as drains, origin.accept() as first:
        proxy.apply(settings(tmp_path, origin.address, on_endpoint_removal="close"))
        with proxy.connect() as closes, origin.accept():
            proxy.apply(settings(tmp_path, other.address, on_endpoint_removal="close"))
            closes.receive_until_reset()
        drains.send(b"on")
        assert first.receive(2) == b"on"
