"""Active health checks and outlier detection at work: where connections arrive, and what is told of it."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Iterator

import pytest

from mesh_core.config import load_builtins
from tests.support.peer import Origin, refusing
from tests.support.running_proxy import RunningProxy
from tests.support.waiting import LIMIT_S, wait_until

Serve = Callable[..., RunningProxy]

CHECK = {"type": "tcp", "interval_ms": 10, "unhealthy_threshold": 2, "interval_jitter_percent": 0}
# However few are left, the others are left alone.
STRICT = {"panic_threshold_percent": 0, "retry": {"max_connect_attempts": 1}}


class Answering:
    """An origin that answers whatever comes with `answer`, in a thread of its own, until closed."""

    def __init__(self, answer: bytes) -> None:
        self.answer = answer
        self._origin = Origin()
        self._origin.socket.settimeout(0.05)
        self.address = self._origin.address
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def _run(self) -> None:
        while not self._closing.is_set():
            try:
                connection, _ = self._origin.socket.accept()
            except TimeoutError:
                continue
            with connection:
                try:
                    connection.settimeout(LIMIT_S)
                    if connection.recv(100):
                        connection.sendall(self.answer)
                except OSError:
                    continue

    def close(self) -> None:
        self._closing.set()
        self._thread.join()
        self._origin.close()


@pytest.fixture
def answering() -> Iterator[Callable[[bytes], Answering]]:
    """Makes origins that answer."""
    made: list[Answering] = []

    def make(answer: bytes) -> Answering:
        made.append(Answering(answer))
        return made[-1]

    yield make
    for each in made:
        each.close()


def asked(proxy: RunningProxy) -> bytes:
    """What a connection through the proxy is answered."""
    with proxy.connect() as client:
        client.send(b"?")
        return client.receive_what_comes()


def test_only_what_passes_is_used(serve: Serve, answering: Callable[[bytes], Answering]) -> None:
    """From the first connection on, the endpoint that refuses gets none."""
    good = answering(b"good")
    with refusing() as bad:
        proxy = serve(bad, good.address, cluster={"health_checks": [CHECK], **STRICT})
        assert [asked(proxy) for _ in range(6)] == [b"good"] * 6
        assert proxy.stats("endpoint", "app", bad)["cx_total"] == 0
        gauges = proxy.gauges()
        assert (gauges["membership_total"], gauges["membership_healthy"], gauges["health_check.healthy"]) == (2, 1, 1)
        counted = proxy.stats("health_check", "app")
        assert counted["attempt"] >= counted["success"] >= 1
        assert counted["failure"] >= counted["network_failure"] >= 1


def test_the_answer_counts(serve: Serve, answering: Callable[[bytes], Answering]) -> None:
    """An endpoint that answers something else is unhealthy until it answers right."""
    first, second = answering(b"+PONG"), answering(b"-LOADING")
    check = CHECK | {"send": {"text": "PING\r\n"}, "receive": [{"text": "+"}, {"hex": "504f4e47"}]}
    proxy = serve(first.address, second.address, cluster={"health_checks": [check], **STRICT})
    assert {asked(proxy) for _ in range(6)} == {b"+PONG"}
    assert proxy.stats("health_check", "app")["failure"] >= 1
    second.answer = b"well, +yes PONG"
    wait_until(lambda: proxy.gauges()["health_check.healthy"] == 2, "both are healthy")
    assert {asked(proxy) for _ in range(6)} == {b"+PONG", b"well, +yes PONG"}
    first.answer = b""
    wait_until(lambda: proxy.gauges()["health_check.healthy"] == 1, "one is healthy")
    assert {asked(proxy) for _ in range(6)} == {b"well, +yes PONG"}


def test_close_on_failure(serve: Serve) -> None:
    """Connections to an endpoint that fails its checks are reset where the cluster says so."""
    with Origin() as origin:
        proxy = serve(
            origin.address,
            cluster={"health_checks": [CHECK], "close_connections_on_host_health_failure": True},
        )
        # Checks wait in the same queue; only ours speaks.
        with proxy.connect() as client:
            client.send(b"mine")
            while True:
                server = origin.accept()
                if server.socket.recv(4) == b"mine":
                    break
                server.close()
            origin.close()
            client.receive_until_reset()
            server.close()
        record = proxy.record()
        assert (record["response_flags"], record["connection_termination_details"]) == ("UC", "endpoint_unhealthy")


def test_stops_while_checking(serve: Serve) -> None:
    """A check that hangs does not hold up the end, nor a start for long."""
    with Origin() as origin:
        check = CHECK | {"receive": [{"text": "never"}], "timeout_ms": 60_000, "interval_ms": 60_000}
        proxy = serve()
        settings = {
            "listeners": [], "workers": 1,
            "clusters": [{"name": "slow", "endpoints": [origin.address], "health_checks": [check]}],
        }  # fmt: skip
        change = proxy.start(proxy.proxy.apply(load_builtins(settings)))
        with origin.accept():
            proxy.close()
        assert change.exception(LIMIT_S) is not None


@pytest.mark.parametrize("workers", [1, 2])
def test_ejection(serve: Serve, answering: Callable[[bytes], Answering], workers: int) -> None:
    """After five refusals in a row, whichever workers saw them, nobody goes there any more."""
    good = answering(b"good")
    with refusing() as bad:
        detection = {"interval_ms": 20, "base_ejection_time_ms": 60_000}
        proxy = serve(bad, good.address, cluster={"outlier_detection": detection, **STRICT}, workers=workers)

        for _ in range(60):
            with contextlib.suppress(ConnectionError):
                asked(proxy)
        assert proxy.gauges()["outlier_detection.ejections_active"] == 1
        assert proxy.stats("endpoint", "app", bad)["cx_total"] >= 5
        arrived = proxy.stats("endpoint", "app", bad)["cx_total"]
        assert [asked(proxy) for _ in range(10)] == [b"good"] * 10
        assert proxy.stats("endpoint", "app", bad)["cx_total"] == arrived
        counted = proxy.stats("outlier_detection", "app")
        assert counted["ejections_enforced_consecutive_local_origin_failure"] == 1
        assert proxy.gauges()["membership_healthy"] == 1
