"""Where connections go, counted at the origins: every balancer, weights, priorities, localities, subsets."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress
from typing import Any

import pytest

from mesh_core.config import parse_address
from tests.support.configs import cluster, config, listener
from tests.support.peer import Origin, Peer, refusing
from tests.support.proxy_headers import v2
from tests.support.running_proxy import RunningProxy
from tests.support.waiting import wait_until

Serve = Callable[..., RunningProxy]
CLIENTS = 60


@pytest.fixture
def origins(no_leaks: None) -> Iterator[list[Origin]]:
    """Three origins."""
    with ExitStack() as stack:
        yield [stack.enter_context(Origin()) for _ in range(3)]


@pytest.fixture
def clients() -> Iterator[ExitStack]:
    """Keeps connections open until the test is over."""
    with ExitStack() as stack:
        yield stack


def shares(proxy: RunningProxy, origins: list[Origin], count: int) -> list[int]:
    """How many connections each origin has got, once there are `count` of them; each is there to be accepted."""

    def totals() -> list[int]:
        return [proxy.stats("endpoint", "app", each.address)["cx_total"] for each in origins]

    wait_until(lambda: sum(totals()) == count, f"{count} connections at the origins")
    found = totals()
    for origin, total in zip(origins, found, strict=True):
        for _ in range(total):
            origin.accept().close()
        origin.expect_nobody()
    return found


def connect_many(proxy: RunningProxy, clients: ExitStack, count: int = CLIENTS, name: str = "in") -> None:
    """Open connections one after another and leave them open."""
    before = proxy.stats("cluster", "app")["upstream_cx_total"]
    for number in range(1, count + 1):
        clients.enter_context(proxy.connect(name))
        # Picked one after another, so that each finds the connections before it counted.
        wait_until(
            lambda number=number: proxy.stats("cluster", "app")["upstream_cx_total"] == before + number, "a pick"
        )


def from_source(proxy: RunningProxy, source: str) -> Peer:
    """A client's connection from a loopback address of its own."""
    connection = socket.socket()
    connection.bind((source, 0))
    connection.connect(parse_address(proxy.address()).sockaddr())
    return Peer(connection)


def test_round_robin(serve: Serve, origins: list[Origin], clients: ExitStack) -> None:
    """Each in turn, with weights by their shares."""
    proxy = serve(*(each.address for each in origins))
    connect_many(proxy, clients)
    assert shares(proxy, origins, CLIENTS) == [20, 20, 20]


def test_round_robin_by_weight(serve: Serve, origins: list[Origin], clients: ExitStack) -> None:
    """Shares are within a few turns of the weights."""
    proxy = serve(*({"address": each.address, "weight": index + 1} for index, each in enumerate(origins)))
    connect_many(proxy, clients)
    for share, wanted in zip(shares(proxy, origins, CLIENTS), [10, 20, 30], strict=True):
        assert abs(share - wanted) <= 3


def test_least_request(serve: Serve, origins: list[Origin], clients: ExitStack) -> None:
    """Connections that stay are spread evenly; who has lost some gets the next."""
    proxy = serve(*(each.address for each in origins), cluster={"load_balancer": "least_request"})
    connect_many(proxy, clients)
    found = shares(proxy, origins, CLIENTS)
    assert max(found) - min(found) <= 6


def test_random(serve: Serve, origins: list[Origin], clients: ExitStack) -> None:
    """Everyone gets some."""
    proxy = serve(*(each.address for each in origins), cluster={"load_balancer": "random"})
    connect_many(proxy, clients)
    assert min(shares(proxy, origins, CLIENTS)) >= 5


def test_peak_ewma_leaves_who_refuses(serve: Serve, clients: ExitStack) -> None:
    """A refused connect is a slow one: no second connection goes there."""
    with Origin() as origin, refusing() as closed:
        proxy = serve(origin.address, closed, cluster={"load_balancer": "peak_ewma"})
        for number in range(1, 21):
            # The one that was refused may be reset while it is still connecting.
            with suppress(ConnectionResetError):
                clients.enter_context(proxy.connect())
            wait_until(
                lambda number=number: proxy.stats("cluster", "app")["upstream_cx_total"] >= number, "a connection"
            )
        assert proxy.stats("endpoint", "app", closed)["cx_connect_fail"] <= 1
        assert proxy.stats("endpoint", "app", origin.address)["cx_total"] >= 19


@pytest.mark.parametrize("balancer", ["ring_hash", "maglev"])
def test_a_source_address_goes_to_one_endpoint(serve: Serve, origins: list[Origin], balancer: str) -> None:
    """Whatever its port; and not all sources go to the same."""
    proxy = serve(*(each.address for each in origins), cluster={"load_balancer": balancer})
    places: dict[str, int] = {}
    for number in range(40):
        source = f"127.0.0.{2 + number % 20}"
        before = [proxy.stats("endpoint", "app", each.address)["cx_total"] for each in origins]
        with from_source(proxy, source):
            proxy.wait_for_stat(number + 1, "upstream_cx_total", "cluster", "app")
            after = [proxy.stats("endpoint", "app", each.address)["cx_total"] for each in origins]
            (place,) = (index for index in range(3) if after[index] != before[index])
            origins[place].accept().close()
        assert places.setdefault(source, place) == place
    assert len(set(places.values())) > 1


@pytest.mark.parametrize("balancer", ["ring_hash", "maglev"])
def test_the_source_of_a_proxy_header_counts(serve: Serve, origins: list[Origin], balancer: str) -> None:
    """Not the address of the proxy in front."""
    proxy = serve(
        *(each.address for each in origins),
        listener={"accept_proxy_protocol": True},
        cluster={"load_balancer": balancer},
    )
    places: dict[str, set[int]] = {}
    for number in range(40):
        source = f"192.0.2.{number % 20}"
        before = [proxy.stats("endpoint", "app", each.address)["cx_total"] for each in origins]
        with proxy.connect() as client:
            client.send(v2((source, 1000 + number), ("198.51.100.1", 80)))
            proxy.wait_for_stat(number + 1, "upstream_cx_total", "cluster", "app")
            after = [proxy.stats("endpoint", "app", each.address)["cx_total"] for each in origins]
        places.setdefault(source, set()).add(next(index for index in range(3) if after[index] != before[index]))
    assert all(len(each) == 1 for each in places.values())
    assert len(set.union(*places.values())) > 1


def test_the_first_priority_takes_all_while_it_is_healthy(
    serve: Serve, origins: list[Origin], clients: ExitStack
) -> None:
    """Lower ones get nothing."""
    proxy = serve(*({"address": each.address, "priority": index} for index, each in enumerate(origins)))
    connect_many(proxy, clients, 10)
    assert shares(proxy, origins, 10) == [10, 0, 0]


def test_localities_by_weight(serve: Serve, origins: list[Origin], clients: ExitStack) -> None:
    """Two endpoints in one locality share what it gets."""
    zones = ["a", "a", "b"]
    proxy = serve(
        *({"address": o.address, "locality": {"zone": z}} for o, z in zip(origins, zones, strict=True)),
        cluster={"locality_weights": [{"locality": {"zone": z}, "weight": w} for z, w in (("a", 1), ("b", 2))]},
    )
    connect_many(proxy, clients)
    first, second, third = shares(proxy, origins, CLIENTS)
    assert abs(third - 40) <= 3
    assert abs(first - second) <= 1


def test_subsets_by_listener(start: Callable[..., RunningProxy], origins: list[Origin], tmp_path: Any) -> None:
    """Each listener's connections go where its labels say; without such endpoints they are closed."""
    described = [
        {"address": each.address, "labels": {"version": f"v{number}"}} for number, each in enumerate(origins, start=1)
    ]
    subsets = {"subset_selectors": [{"keys": ["version"]}]}
    listeners = [listener(f"v{number}", subset={"version": f"v{number}"}) for number in range(1, 5)]
    proxy = start(config(listeners, [cluster(described, subsets=subsets)], tmp_path))
    for number, origin in enumerate(origins, start=1):
        with proxy.connect(f"v{number}"), proxy.connect(f"v{number}"):
            origin.accept().close()
            origin.accept().close()
    proxy.turns_away("v4")
    record = next(each for each in proxy.records(7) if each["response_flags"] == "UH")
    assert record["upstream_host"] is None
    assert proxy.stats("cluster", "app")["upstream_cx_none_healthy"] == 1


def test_weights_change_with_the_configuration(serve: Serve, origins: list[Origin], tmp_path: Any) -> None:
    """A reload moves new connections."""
    proxy = serve(*(each.address for each in origins))
    heavy = [{"address": each.address, "weight": 1 + 99 * (each is origins[2])} for each in origins]
    settings = config([listener(address=proxy.address())], [cluster(heavy)], tmp_path)
    proxy.apply(settings)
    with ExitStack() as clients:
        connect_many(proxy, clients, 50)
        assert shares(proxy, origins, 50)[2] >= 45
