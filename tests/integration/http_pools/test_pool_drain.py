"""Drain, hot restart and stop, with connections that are kept alive on both sides."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor

from tests.support.http_client import HttpClient
from tests.support.http_messages import get, ok
from tests.support.http_origin import Gate
from tests.support.http_service import HttpService, http_listener, to, wait_until_closed
from tests.support.peer import connect
from tests.support.process import running
from tests.support.restarts import restartable, restarted
from tests.support.waiting import LIMIT_S

LONG_MS = 600_000


def test_a_drain(service: HttpService) -> None:
    """Idle connections end by themselves, one with a request once that is answered; so does the drain."""
    origin = service.origin()
    service.serve(to(origin), workers=2)
    idle, busy = service.client(), service.client()
    assert idle.exchange(get(b"/")).status == 200
    gate = Gate()
    origin.on(b"/slow", gate, ok(b"slow"))
    busy.send(get(b"/slow"))
    gate.wait_reached()
    drained = service.proxy.start(service.proxy.proxy.drain(LONG_MS))
    assert idle.expect_closed() == "end"
    assert not drained.done()
    gate.open()
    response = busy.response()
    assert (response.body, response.values(b"Connection")) == (b"slow", [b"close"])
    assert busy.expect_closed() == "end"
    assert drained.result(LIMIT_S) == 0
    assert service.listener()["downstream_cx_drain_close"] == 0


def test_an_answer_that_has_begun_does_not_end_its_connection(service: HttpService) -> None:
    """Its head did not say that it is the last: so the next one does, or a second of silence."""
    origin = service.origin()
    service.serve(to(origin))
    gate = Gate()
    whole = ok(b"slow")
    origin.on(b"/slow", whole[:-2], gate, whole[-2:])
    clients = service.client(), service.client()
    for client in clients:
        client.send(get(b"/slow"))
        _receive_until(client, b"\r\n\r\nsl")
    service.proxy.wait(service.proxy.proxy.drain_listeners())
    gate.open()
    for client in clients:
        assert client.received(2) == b"ow"
    # One goes on, the other is silent.
    response = clients[0].exchange(get(b"/"))
    assert (response.status, response.values(b"Connection")) == (200, [b"close"])
    for client in clients:
        assert client.expect_closed() == "end"
    assert service.proxy.wait(service.proxy.proxy.drain(LONG_MS)) == 0


def _receive_until(client: HttpClient, end: bytes) -> None:
    received = b""
    while not received.endswith(end):
        received += client.received(1)


def test_requests_on_their_way_when_a_drain_begins(service: HttpService) -> None:
    """Each is answered, and the answer says that it is the last: nobody who is at it meets an end instead."""
    origin = service.origin()
    service.serve(to(origin), workers=2)
    clients = [service.client() for _ in range(8)]
    begun = threading.Event()
    with ThreadPoolExecutor(len(clients)) as threads:
        ends = [threads.submit(_ask_until_last, client, begun) for client in clients]
        begun.wait(LIMIT_S)
        drained = service.proxy.start(service.proxy.proxy.drain(LONG_MS))
        assert all(each.result(LIMIT_S) for each in ends)
    assert drained.result(LIMIT_S) == 0


def _ask_until_last(client: HttpClient, begun: threading.Event) -> bool:
    """Ask again and again; whether the end was told in an answer, or the machine has paused longer than one waits."""
    while True:
        last = time.monotonic()
        try:
            response = client.exchange(get(b"/"))
        except (AssertionError, OSError):
            return time.monotonic() - last > 0.5
        begun.set()
        assert response.status == 200
        if response.values(b"Connection") == [b"close"]:
            return client.expect_closed() == "end"


def test_the_limit_of_a_drain(service: HttpService) -> None:
    """What is not answered by then is reset."""
    origin = service.origin()
    service.serve(to(origin))
    gate = Gate()
    origin.on(b"/slow", gate, ok(b"slow"))
    client = service.client()
    client.send(get(b"/slow"))
    gate.wait_reached()
    assert service.proxy.wait(service.proxy.proxy.drain(10)) == 1
    assert client.expect_closed() == "reset"
    gate.open()
    wait_until_closed(origin)
    assert service.listener()["downstream_cx_drain_close"] == 1


def test_a_hot_restart(service: HttpService) -> None:
    """The old process answers what it has begun, closes what is idle, and ends long before its limit."""
    origin, folder = service.origin(), service.folder
    parts = restartable(folder, origin.address, drain_timeout_ms=LONG_MS) | {"listeners": [http_listener()]}
    gate = Gate()
    origin.on(b"/slow", gate, ok(b"slow"))
    with running(folder, parts) as proxy:
        address = proxy.address()
        with HttpClient(connect(address)) as idle, HttpClient(connect(address)) as busy:
            assert idle.exchange(get(b"/before")).status == 200
            busy.send(get(b"/slow"))
            gate.wait_reached()
            restarted(folder)
            assert idle.expect_closed() == "end"
            with HttpClient(connect(address)) as new:
                assert new.exchange(get(b"/after")).status == 200
            gate.open()
            response = busy.response()
            assert (response.body, response.values(b"Connection")) == (b"slow", [b"close"])
            assert busy.expect_closed() == "end"
        assert proxy.wait_for("stopped")["connections_reset"] == 0
        assert proxy.stop() == 0
