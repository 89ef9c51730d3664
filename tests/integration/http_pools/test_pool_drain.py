"""Drain, hot restart and stop, with connections that are kept alive on both sides."""

from __future__ import annotations

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
    """Idle connections end at once, one with a request once that is answered; then the drain is over, by itself."""
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
