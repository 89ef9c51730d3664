"""Connect retries: on another endpoint, with a back-off, within the budget; what is left over and what is told."""

from __future__ import annotations

import contextlib
from collections import Counter
from collections.abc import Callable, Iterator

import pytest

from tests.support.peer import Origin, Peer, connect, refusing, turned_away
from tests.support.running_proxy import RunningProxy

Serve = Callable[..., RunningProxy]


@pytest.fixture
def refused() -> Iterator[str]:
    """An endpoint that refuses."""
    with refusing() as address:
        yield address


@pytest.fixture
def silent() -> Iterator[str]:
    """An endpoint that does not answer."""
    with Origin(backlog=0) as origin, connect(origin.address):
        yield origin.address


def served(client: Peer, origin: Origin) -> None:
    with origin.accept() as server:
        client.send(b"hello")
        assert server.receive(5) == b"hello"
        server.send(b"hi")
        assert client.receive(2) == b"hi"


@pytest.mark.parametrize("workers", [1, 2])
def test_another_endpoint_serves(serve: Serve, origin: Origin, refused: str, workers: int) -> None:
    """Every connection ends up where it can, whoever is picked first."""
    proxy = serve(refused, origin.address, workers=workers)
    for _ in range(8):
        with proxy.connect() as client:
            served(client, origin)
    proxy.wait_for_connections(0)
    stats = proxy.stats("cluster", "app")
    records = proxy.records(8)
    attempts = Counter(record["upstream_request_attempt_count"] for record in records)
    # The one that refuses comes first at least once; how often is the balancer's choice.
    assert attempts[2] >= 1
    assert attempts[1] + attempts[2] == 8
    assert stats["upstream_cx_retry"] == stats["upstream_cx_retry_success"] == attempts[2]
    assert stats["upstream_cx_connect_fail"] == attempts[2]
    assert stats["upstream_cx_total"] == 8 + attempts[2]
    assert stats["upstream_cx_active"] == 0
    for record in records:
        assert (record["response_flags"], record["upstream_host"]) == ("-", origin.address)
        reason = "Connection refused" if record["upstream_request_attempt_count"] == 2 else None
        assert record["upstream_transport_failure_reason"] == reason


def test_after_a_time_out(serve: Serve, origin: Origin, silent: str) -> None:
    """Silence counts like a refusal, and what the client said meanwhile is not lost."""
    proxy = serve(silent, origin.address, cluster={"connect_timeout_ms": 50})
    for _ in range(2):
        with proxy.connect() as client:
            client.send(b"early ")
            with origin.accept() as server:
                client.send(b"and late")
                assert server.receive(14) == b"early and late"
    stats = proxy.stats("cluster", "app")
    assert stats["upstream_cx_connect_timeout"] == stats["upstream_cx_retry_success"] >= 1


def test_unix_endpoint_that_is_not_there(serve: Serve, origin: Origin, tmp_path) -> None:
    """Kinds of addresses mix."""
    proxy = serve(f"unix:{tmp_path / 'nothing'}", origin.address)
    for _ in range(2):
        with proxy.connect() as client:
            served(client, origin)
    assert proxy.stats("cluster", "app")["upstream_cx_retry_success"] >= 1


def test_each_endpoint_is_tried_before_any_is_tried_again(serve: Serve) -> None:
    """As many attempts as endpoints: one each."""
    with contextlib.ExitStack() as stack:
        endpoints = [stack.enter_context(refusing()) for _ in range(4)]
        proxy = serve(*endpoints, cluster={"retry": {"max_connect_attempts": 4, "base_interval_ms": 1}})
        for number in range(1, 4):
            proxy.turns_away()
            assert [proxy.stats("endpoint", "app", each)["cx_connect_fail"] for each in endpoints] == [number] * 4


def test_attempts_are_used_up(serve: Serve, refused: str) -> None:
    """With no other endpoint the same one is tried again; then the record says how often, and why it failed."""
    proxy = serve(refused, cluster={"retry": {"max_connect_attempts": 3, "base_interval_ms": 1}})
    proxy.turns_away()
    record = proxy.record()
    assert record["response_flags"] == "UF,URX"
    assert record["connection_termination_details"] == "connect_failed"
    assert record["upstream_transport_failure_reason"] == "Connection refused"
    assert record["upstream_request_attempt_count"] == 3
    assert record["upstream_host"] == refused
    stats = proxy.stats("cluster", "app")
    assert (stats["upstream_cx_retry"], stats["upstream_cx_retry_success"]) == (2, 0)
    assert stats["upstream_cx_connect_attempts_exceeded"] == 1


def test_no_retries(serve: Serve, refused: str) -> None:
    """One attempt is one attempt, though there is another endpoint."""
    with refusing() as another:
        proxy = serve(refused, another, cluster={"retry": {"max_connect_attempts": 1}})
        for _ in range(4):
            proxy.turns_away()
    assert {record["response_flags"] for record in proxy.records(4)} == {"UF"}
    stats = proxy.stats("cluster", "app")
    assert (stats["upstream_cx_total"], stats["upstream_cx_connect_fail"], stats["upstream_cx_retry"]) == (4, 4, 0)


def test_the_budget(serve: Serve, refused: str) -> None:
    """Without a budget nothing is tried again, and the record says that it was for load's sake."""
    proxy = serve(refused, cluster={"retry": {"budget": {"percent": 0, "min_concurrency": 0}}})
    proxy.turns_away()
    record = proxy.record()
    assert (record["response_flags"], record["connection_termination_details"]) == ("UF,UO", "connect_failed")
    assert record["upstream_request_attempt_count"] == 1
    stats = proxy.stats("cluster", "app")
    assert (stats["upstream_cx_retry"], stats["upstream_cx_retry_overflow"]) == (0, 1)


@pytest.mark.parametrize("workers", [1, 3])
def test_the_budget_holds_over_all_workers(serve: Serve, refused: str, workers: int) -> None:
    """While two wait to be tried again, nobody else is."""
    retry = {"base_interval_ms": 60_000, "budget": {"percent": 0, "min_concurrency": 2}}
    proxy = serve(refused, cluster={"retry": retry}, workers=workers)
    waiting: list[Peer] = []
    for _ in range(20):
        # Who is refused may learn it while still connecting.
        with contextlib.suppress(ConnectionResetError):
            waiting.append(proxy.connect())
    records = proxy.records(18)
    assert {record["response_flags"] for record in records} == {"UF,UO"}
    assert proxy.stats("cluster", "app")["upstream_cx_retry_overflow"] == 18
    gauges = proxy.gauges()
    assert gauges["upstream_cx_retry_active"] == gauges["upstream_cx_pending_active"] == 2
    assert gauges["circuit_breakers.default.cx_retry_open"] == 1
    # Between two attempts nothing is open at the endpoint.
    assert proxy.stats("endpoint", "app", refused)["cx_active"] == 0
    for each in waiting:
        each.reset()
    proxy.wait_for_connections(0)
    assert proxy.gauges()["upstream_cx_retry_active"] == 0
    assert proxy.gauges()["circuit_breakers.default.cx_retry_open"] == 0


def test_client_goes_while_waiting(serve: Serve, refused: str) -> None:
    """A reset during the back-off ends it."""
    proxy = serve(refused, cluster={"retry": {"base_interval_ms": 60_000}})
    client = proxy.connect()
    proxy.wait_for_stat(1, "upstream_cx_connect_fail", "cluster", "app")
    client.reset()
    record = proxy.record()
    assert (record["response_flags"], record["upstream_request_attempt_count"]) == ("DC", 1)
    assert proxy.gauges()["upstream_cx_pending_active"] == 0


def test_half_close_while_waiting(serve: Serve, origin: Origin, silent: str) -> None:
    """A client that has said all it wants is served all the same."""
    proxy = serve(silent, origin.address, cluster={"connect_timeout_ms": 50})
    for _ in range(2):
        with proxy.connect() as client:
            client.send(b"request")
            client.end()
            with origin.accept() as server:
                assert server.receive_all() == b"request"
                server.send(b"response")
                server.end()
                assert client.receive_all() == b"response"


def test_proxy_header_goes_to_the_endpoint_that_accepts(serve: Serve, origin: Origin, refused: str) -> None:
    """Once, and first."""
    proxy = serve(refused, origin.address, cluster={"send_proxy_protocol": "v1"})
    for _ in range(2):
        with proxy.connect() as client, origin.accept() as server:
            client.send(b"body")
            client.end()
            header, _, body = server.receive_all().partition(b"\r\n")
            assert header.startswith(b"PROXY TCP4 127.0.0.1 ")
            assert body == b"body"


@pytest.mark.parametrize("ending", ["drain", "close", "removal"])
def test_ends_while_waiting(serve: Serve, refused: str, tmp_path, ending: str) -> None:
    """A drain, a stop and a reload find nothing to trip over."""
    proxy = serve(refused, cluster={"retry": {"base_interval_ms": 60_000}})
    with proxy.connect() as client:
        proxy.wait_for_stat(1, "upstream_cx_connect_fail", "cluster", "app")
        if ending == "drain":
            assert proxy.wait(proxy.proxy.drain(0)) == 1
        elif ending == "close":
            proxy.close()
        else:
            empty = {"listeners": [], "clusters": [], "workers": 1}
            proxy.apply(empty)
            assert proxy.proxy.active_connections == 1
            client.reset()
            proxy.wait_for_connections(0)
            return
        client.receive_until_reset()


def test_no_endpoint_is_left(serve: Serve) -> None:
    """An empty cluster is not worth another attempt."""
    proxy = serve()
    turned_away(proxy.address())
    assert proxy.record()["upstream_request_attempt_count"] == 0
