"""What attempts of requests tell of their endpoint, by its counters."""

from __future__ import annotations

import pytest

from tests.support.http_messages import get, ok
from tests.support.http_origin import HttpOrigin, Move
from tests.support.http_service import HttpService, to
from tests.support.peer import refusing

RETRY = {"max_connect_attempts": 1}


def attempts(service: HttpService, origin: HttpOrigin | str) -> tuple[int, ...]:
    """The endpoint's attempts: answered, answered by an error, failed."""
    stats = service.proxy.stats("endpoint", "app", origin if isinstance(origin, str) else origin.address)
    return tuple(stats[f"attempt_{name}"] for name in ("answered", "error", "failed"))


def test_answers(service: HttpService) -> None:
    """By their status; interim answers are none."""
    origin = service.origin()
    for status in (200, 404, 499, 500, 503, 599):
        origin.on(b"/%d" % status, b"HTTP/1.1 %d Such\r\nContent-Length: 0\r\n\r\n" % status)
    origin.on(b"/interim", b"HTTP/1.1 103 Early Hints\r\n\r\n", ok(b"done"))
    service.serve(to(origin))
    with service.client() as client:
        for target in (b"/200", b"/404", b"/499", b"/500", b"/503", b"/599", b"/interim"):
            client.exchange(get(target))
    assert attempts(service, origin) == (4, 3, 0)


@pytest.mark.parametrize(
    ("steps", "counted"),
    [
        pytest.param([Move.CLOSE], (0, 0, 1), id="no-answer"),
        pytest.param([Move.RESET], (0, 0, 1), id="reset"),
        pytest.param([b"HTTP/1.1 2x0 Such\r\n\r\n", Move.CLOSE], (0, 1, 0), id="malformed"),
        pytest.param([b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf", Move.CLOSE], (1, 0, 1), id="cut"),
        pytest.param([b"HTTP/1.1 200 OK\r\n\r\nall", Move.CLOSE], (1, 0, 0), id="until-the-end"),
    ],
)
def test_failures(service: HttpService, steps: list[bytes | Move], counted: tuple[int, ...]) -> None:
    """Whatever is not a whole answer."""
    origin = service.origin()
    origin.on(b"/", *steps)
    service.serve(to(origin, retry=RETRY))
    with service.client() as client:
        client.send(get(b"/", b"Connection: close"))
        client.until_end()
    assert attempts(service, origin) == counted


def test_the_race_of_keep_alive_is_no_failure(service: HttpService) -> None:
    """A connection that was idle ends as the next request arrives: nobody is to blame."""
    origin = service.origin()
    origin.on(b"/race", Move.CLOSE)
    service.serve(to(origin, retry=RETRY))
    with service.client() as client:
        assert client.exchange(get(b"/")).status == 200
        client.exchange(get(b"/race"))
    assert attempts(service, origin) == (1, 0, 0)


def test_silence(service: HttpService) -> None:
    """An endpoint that says nothing to a whole request has failed; to half a request it may be silent."""
    origin = service.origin()
    origin.on(b"/silent", lambda: None)
    service.serve(to(origin), http={"stream_idle_timeout_ms": 50})
    with service.client() as client:
        assert client.exchange(get(b"/silent")).status == 504
    assert attempts(service, origin) == (0, 0, 1)
    with service.client() as client:
        client.send(b"POST /half HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\nhalf")
        assert client.response().status == 408
    assert attempts(service, origin) == (0, 0, 1)


def test_nobody_there(service: HttpService) -> None:
    """A connect that fails is an attempt that failed."""
    with refusing() as address:
        service.serve(to(address, retry={"max_connect_attempts": 3, "base_interval_ms": 1}))
        assert service.get(b"/").status == 503
        assert attempts(service, address) == (0, 0, 3)
