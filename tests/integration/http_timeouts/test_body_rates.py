"""Clients that are slow without being idle for long enough. Each test waits for what must happen; none measures."""

from __future__ import annotations

import threading

import pytest

from tests.support.http_client import HttpClient, Incomplete
from tests.support.http_messages import get, ok, post, request, response
from tests.support.http_origin import Gate
from tests.support.http_service import HttpService, to, wait_until_closed
from tests.support.peer import connect

RATES = {"request_bytes_per_s": 1_000_000, "response_bytes_per_s": 1_000_000, "grace_ms": 50, "window_ms": 50}
LARGE = bytes(16 << 20)


def test_a_body_that_trickles(service: HttpService) -> None:
    """408, and the endpoint's connection is cut."""
    origin = service.origin()
    service.serve(to(origin), http={"min_body_rate": RATES})
    with service.client() as client:
        assert client.exchange(get(b"/")).status == 200
        client.send(request(b"Content-Length: 10", line=b"POST / HTTP/1.1") + b"half")
        answer = client.response(b"POST")
        assert (answer.status, answer.values(b"Connection")) == (408, [b"close"])
        assert client.expect_closed() == "end"
    assert service.listener()["downstream_rq_too_slow"] == 1
    wait_until_closed(origin)
    assert len(origin.requests) == 1


def test_a_body_that_trickles_behind_its_answer(service: HttpService) -> None:
    """A response has begun: it is cut."""
    origin = service.origin()
    origin.on(b"/", response(b"Content-Length: 10") + b"half", when="head")
    service.serve(to(origin), http={"min_body_rate": RATES})
    with service.client() as client:
        client.send(request(b"Content-Length: 10", line=b"POST / HTTP/1.1"))
        with pytest.raises(Incomplete) as caught:
            client.response(b"POST")
        assert caught.value.end == "reset"
    assert service.listener()["downstream_rq_too_slow"] == 1


def test_an_endpoint_that_does_not_take_a_body(service: HttpService) -> None:
    """That is not its client's fault: the request ends by another time-out."""
    origin = service.origin()
    gate = Gate()
    origin.on(b"/", gate, when="head")
    service.serve(to(origin), http={"min_body_rate": RATES, "stream_idle_timeout_ms": 400})
    with service.client() as client:
        sender = threading.Thread(target=client.send, args=(post(LARGE),))
        sender.start()
        try:
            assert client.response(b"POST").status == 408
        finally:
            gate.open()
            sender.join()
    stats = service.listener()
    assert (stats["downstream_rq_too_slow"], stats["downstream_rq_idle_timeout"]) == (0, 1)


def test_an_endpoint_that_is_slow_to_answer(service: HttpService) -> None:
    """Nothing waits for the client, who is not slow."""
    origin = service.origin()
    gate = Gate()
    origin.on(b"/half", response(b"Content-Length: 10") + b"half", gate)
    service.serve(to(origin), http={"min_body_rate": RATES, "stream_idle_timeout_ms": 400})
    with service.client() as client:
        client.send(get(b"/half"))
        with pytest.raises(Incomplete):
            client.response()
    gate.open()
    stats = service.listener()
    assert (stats["downstream_rs_too_slow"], stats["downstream_rq_idle_timeout"]) == (0, 1)


def test_a_response_that_nobody_reads(service: HttpService) -> None:
    """The connection is reset."""
    origin = service.origin()
    origin.on(b"/", ok(LARGE))
    rates = RATES | {"response_bytes_per_s": 10_000}
    service.serve(to(origin), http={"min_body_rate": rates})
    with HttpClient(connect(service.proxy.address(), 4096)) as client:
        client.send(get(b"/"))
        service.proxy.wait_for_stat(1, "downstream_rs_too_slow", "listener", "in")
        client.until_end()
        assert client.ended == "reset"


def test_a_response_that_is_read(service: HttpService) -> None:
    """However long it is. The window is longer than a busy machine lets a client wait for its turn."""
    origin = service.origin()
    origin.on(b"/", ok(LARGE))
    service.serve(to(origin), http={"min_body_rate": RATES | {"response_bytes_per_s": 1000, "window_ms": 1000}})
    with service.client() as client:
        for _ in range(3):
            assert client.exchange(get(b"/")).body == LARGE
    assert service.listener()["downstream_rs_too_slow"] == 0
