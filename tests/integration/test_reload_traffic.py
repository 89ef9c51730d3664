"""The configuration changes all the time, and no byte of the traffic through it is lost, wrong or late for ever."""

import random
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.configs import Settings, cluster, config, listener
from tests.support.hash_origin import HashOrigin, exchange
from tests.support.running_proxy import RunningProxy
from tests.support.streams import Background
from tests.support.waiting import wait_until

CLIENTS = 8
RELOADS = 200


class Client(Background):
    """Exchanges streams of random sizes until told to stop; also resets, and is reset, now and then."""

    def __init__(self, address: str, number: int, stop: threading.Event) -> None:
        super().__init__()
        self.exchanges = 0
        self._address, self._random, self._stopping = address, random.Random(number), stop
        self.start()

    def work(self) -> None:
        """One exchange after the other, each on a connection of its own."""
        while not self._stopping.is_set():
            exchange(self._address, self._random)
            self.exchanges += 1


@pytest.mark.parametrize("workers", [1, 2])
def test_traffic_during_reloads(start: Callable[[Settings], RunningProxy], tmp_path: Path, workers: int) -> None:
    """200 reloads add and remove listeners, and move the traffic between clusters and endpoints."""
    stop = threading.Event()
    with HashOrigin() as one, HashOrigin() as two:

        def variant(number: int) -> Settings:
            # "in" stays for ever; everything around it comes and goes.
            listeners = [listener(cluster=f"c{number % 3}", idle_timeout_ms=60_000 + number)]
            listeners += [listener(f"more-{number % 5}", cluster=f"c{number % 3}")] * (number % 2)
            endpoints = [[one.address], [two.address], [two.address, one.address]][number % 3]
            return config(listeners, [cluster(endpoints, f"c{number % 3}")], tmp_path, workers=workers)

        proxy = start(variant(0))
        clients = [Client(proxy.address(), number, stop) for number in range(CLIENTS)]
        for number in range(1, RELOADS + 1):
            before = sum(client.exchanges for client in clients)
            proxy.apply(variant(number))
            wait_until(lambda: moved_on(clients, before), "an exchange after the reload")  # noqa: B023
        reloaded = [client.exchanges for client in clients]
        wait_until(
            lambda: all(c.exchanges > r or not c.is_alive() for c, r in zip(clients, reloaded, strict=True)),
            "every client served after the last reload",
        )
        stop.set()
        for client in clients:
            client.done()
        proxy.wait_for_connections(0)
        wait_until(lambda: len(proxy.proxy._publisher.snapshots) == 1, "all old snapshots retired")
        assert one.connections
        assert two.connections
        assert proxy.stats("listener", "in")["downstream_cx_overflow"] == 0


def moved_on(clients: list[Client], before: int) -> bool:
    """Whether the traffic goes on, or a client has failed, which is told at the end."""
    return sum(c.exchanges for c in clients) > before or not all(c.is_alive() for c in clients)
