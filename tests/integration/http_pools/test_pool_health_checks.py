"""Active health checks by HTTP: what the endpoint is asked, what it must answer, and what becomes of it."""

from __future__ import annotations

import threading
from typing import Any

import pytest

from tests.support.http_messages import get, ok, ok_chunked, response
from tests.support.http_origin import Gate, HttpOrigin, Move
from tests.support.http_service import HttpService, to
from tests.support.waiting import wait_until

CHECK = {"type": "http", "interval_ms": 10, "unhealthy_threshold": 1, "interval_jitter_percent": 0}
STRICT = {"panic_threshold_percent": 0, "retry": {"max_connect_attempts": 1}}


def serve(service: HttpService, *origins: HttpOrigin, check: dict[str, Any] | None = None, **request: Any) -> None:
    """Serve them with a check of /healthz."""
    rules = CHECK | {"http": {"path": "/healthz"} | request} | (check or {})
    service.serve(to(*origins, health_checks=[rules], **STRICT))


def checked(service: HttpService) -> dict[str, int]:
    """What checks have counted."""
    return service.proxy.stats("health_check", "app")


def healthy(service: HttpService) -> int:
    """How many endpoints pass."""
    return service.proxy.gauges()["health_check.healthy"]


def wait_for_checks(service: HttpService, count: int) -> None:
    """Wait for so many more."""
    now = checked(service)["attempt"]
    wait_until(lambda: checked(service)["attempt"] >= now + count, "more checks")


def test_the_request(service: HttpService) -> None:
    """As configured, and nothing else."""
    origin = service.origin()
    origin.on(b"/healthz?full=1", ok(b"well"))
    serve(service, origin, path="/healthz?full=1", host="app.internal", request_headers={"X-Check": "yes"})
    assert service.get(b"/").status == 200
    asked = next(message for message in origin.requests if message.target == b"/healthz?full=1")
    assert asked.start == (b"GET", b"/healthz?full=1")
    assert {(name.lower(), value) for name, value in asked.fields} == {
        (b"host", b"app.internal"), (b"x-check", b"yes"), (b"user-agent", b"hopmesh-health-check"),
        (b"connection", b"close"),
    }


def test_defaults_of_the_request(service: HttpService) -> None:
    """The Host is the endpoint's own address; a method that may have a body says that it has none."""
    origin = service.origin()
    origin.on(b"/healthz", ok(b""))
    serve(service, origin, method="POST", request_headers={"User-Agent": "mine"})
    asked = next(message for message in origin.requests if message.target == b"/healthz")
    assert {(name.lower(), value) for name, value in asked.fields} == {
        (b"host", origin.address.encode()), (b"user-agent", b"mine"), (b"content-length", b"0"),
        (b"connection", b"close"),
    }


@pytest.mark.parametrize(
    ("expected", "status", "passes"),
    [(None, 200, True), (None, 204, False), (None, 503, False), ([204], 204, True), ([204], 200, False),
     ([200, "300-399"], 302, True), ([200, "300-399"], 399, True), ([200, "300-399"], 400, False),
     (["100-599"], 599, True)],
)  # fmt: skip
def test_statuses(service: HttpService, expected: list[Any] | None, status: int, passes: bool) -> None:
    origin = service.origin()
    origin.on(b"/healthz", response(b"Content-Length: 0", line=b"HTTP/1.1 %d Such" % status))
    serve(service, origin, **({} if expected is None else {"expected_statuses": expected}))
    assert healthy(service) == passes
    assert service.get(b"/").status == (200 if passes else 503)


@pytest.mark.parametrize(
    ("answer", "passes"),
    [
        pytest.param(ok(b"all is well"), True, id="body"),
        pytest.param(ok_chunked(b"4\r\nall \r\n7\r\nis well\r\n0\r\n\r\n"), True, id="chunked"),
        pytest.param(b"HTTP/1.1 200 OK\r\n\r\nall is well", True, id="until-the-end"),
        pytest.param(b"HTTP/1.0 200 OK\r\n\r\nall is well", True, id="http-1.0"),
        pytest.param(b"HTTP/1.1 103 Early Hints\r\n\r\n" + ok(b"all is well"), True, id="interim"),
        pytest.param(ok(b"well is all"), False, id="other-order"),
        pytest.param(ok(b"all is"), False, id="short"),
        pytest.param(ok(b"-" * 70_000 + b"all is well"), False, id="behind-the-bound"),
        pytest.param(b"HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\nall is well", True, id="enough-is-there"),
        pytest.param(b"HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\nall is", False, id="cut"),
    ],
)
def test_the_body(service: HttpService, answer: bytes, passes: bool) -> None:
    """As far as it is looked at."""
    origin = service.origin()
    origin.on(b"/healthz", answer, Move.CLOSE)
    serve(service, origin, check={"receive": [{"text": "all"}, {"text": "well"}]})
    assert healthy(service) == passes


@pytest.mark.parametrize(
    "answer",
    [
        pytest.param(b"no HTTP at all\r\n\r\n", id="no-http"),
        pytest.param(b"HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n", id="bad-length"),
        pytest.param(b"HTTP/1.1 200 OK\r\nX: " + b"x" * 200_000 + b"\r\n\r\n", id="large-head"),
        pytest.param(b"HTTP/1.1 103 Hints\r\n\r\n" * 1000 + ok(b""), id="interim-without-end"),
        pytest.param(b"HTTP/1.1 101 Switching\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n", id="upgrade"),
        pytest.param(b"", id="nothing"),
    ],
)
def test_what_is_no_answer(service: HttpService, answer: bytes) -> None:
    """Definite, bounded failures."""
    origin = service.origin()
    origin.on(b"/healthz", answer, Move.CLOSE)
    serve(service, origin)
    counted = checked(service)
    assert (healthy(service), counted["success"]) == (0, 0)
    assert counted["failure"] >= 1
    assert (counted["network_failure"] > 0) == (answer == b"")


def test_silence(service: HttpService) -> None:
    """A check has an end."""
    origin = service.origin()
    origin.on(b"/healthz", lambda: None)
    serve(service, origin, check={"timeout_ms": 50})
    assert checked(service)["network_failure"] >= 1
    assert service.get(b"/").status == 503


def test_thresholds(service: HttpService) -> None:
    """Any status counts towards the threshold, unless the endpoint itself asks to be taken out."""
    origin = service.origin()
    origin.on(b"/healthz", ok(b""))
    serve(service, origin, check={"unhealthy_threshold": 1_000_000})
    assert healthy(service) == 1
    origin.on(b"/healthz", response(b"Content-Length: 0", line=b"HTTP/1.1 503 Such"))
    wait_for_checks(service, 5)
    assert healthy(service) == 1
    fields = (b"Content-Length: 0", b"X-Envoy-Immediate-Health-Check-Fail: true")
    origin.on(b"/healthz", response(*fields, line=b"HTTP/1.1 200 OK"))
    wait_until(lambda: healthy(service) == 0, "it is out")
    origin.on(b"/healthz", ok(b""))
    wait_until(lambda: healthy(service) == 1, "it is back")


WISH = b"x-envoy-immediate-health-check-fail: true"


def test_an_answer_to_traffic_takes_it_out(service: HttpService) -> None:
    """At once, without a check, and until enough of them pass; who asked does not learn of it."""
    leaving, staying = service.origin(), service.origin()
    for origin in (leaving, staying):
        origin.on(b"/healthz", ok(b""))
    serve(service, leaving, staying, check={"interval_ms": 3_600_000, "healthy_threshold": 3})
    wait_until(lambda: healthy(service) == 2, "both are in")
    leaving.on(b"/", ok(b"going", b"X-Envoy-Immediate-Health-Check-Fail: true", WISH))
    with service.client() as client:
        answers = [client.exchange(get(b"/")) for _ in range(20)]
    assert [answer.body for answer in answers].count(b"going") == 1
    assert {len(answer.values(b"x-envoy-immediate-health-check-fail")) for answer in answers} == {0}
    assert healthy(service) == 1
    wait_until(lambda: checked(service)["passive_failure"] == 1, "it is told")
    assert checked(service)["failure"] == 0


def test_it_returns_when_enough_checks_pass(service: HttpService) -> None:
    origin = service.origin()
    origin.on(b"/healthz", ok(b""))
    serve(service, origin, check={"healthy_threshold": 3})
    origin.on(b"/", ok(b"going", WISH))
    assert service.get(b"/").status == 200
    origin.on(b"/", ok(b"here"))
    wait_until(lambda: service.get(b"/").status == 200, "it is back")
    counted = checked(service)
    assert (counted["failure"], counted["passive_failure"]) == (0, 1)
    assert counted["success"] >= 4


def test_an_answer_that_is_tried_again_counts_too(service: HttpService) -> None:
    leaving, staying = service.origin(), service.origin()
    for origin in (leaving, staying):
        origin.on(b"/healthz", ok(b""))
    leaving.on(b"/", response(b"Content-Length: 0", WISH, line=b"HTTP/1.1 503 Going"))
    rules = CHECK | {"interval_ms": 3_600_000, "http": {"path": "/healthz"}}
    service.serve(
        to(leaving, staying, health_checks=[rules], panic_threshold_percent=0),
        routes=[{"cluster": "app", "retry": {"base_interval_ms": 1}}])
    wait_until(lambda: healthy(service) == 2, "both are in")
    with service.client() as client:
        assert {client.exchange(get(b"/")).status for _ in range(20)} == {200}
    assert sum(message.target == b"/" for message in leaving.requests) == 1


def test_without_checks_it_is_a_header_like_others(service: HttpService) -> None:
    origin = service.origin()
    origin.on(b"/", ok(b"going", WISH))
    service.serve(to(origin, **STRICT))
    for _ in range(2):
        assert service.get(b"/").values(b"x-envoy-immediate-health-check-fail") == [b"true"]


def test_connections_of_one_that_asks_to_be_taken_out(service: HttpService) -> None:
    """Those that carry no request are closed, where the cluster says so."""
    origin = service.origin()
    origin.on(b"/healthz", ok(b""))
    gates = {b"/held": Gate(), b"/1": Gate(), b"/2": Gate()}
    for target, gate in gates.items():
        origin.on(target, gate, ok(b"late"))
    origin.on(b"/", ok(b"going", WISH))
    rules = CHECK | {"interval_ms": 3_600_000, "http": {"path": "/healthz"}}
    service.serve(to(origin, health_checks=[rules], close_connections_on_host_health_failure=True, **STRICT))
    clients = {target: service.client() for target in gates}
    for target, client in clients.items():
        client.send(get(target))
        gates[target].wait_reached()
    for target in (b"/1", b"/2"):
        gates[target].open()
        assert clients[target].response().body == b"late"
    # One of two idle connections carries this, and is not kept.
    assert service.get(b"/").body == b"going"
    service.proxy.wait_for_stat(1, "upstream_cx_endpoint_closed", "cluster", "app")
    gates[b"/held"].open()
    assert clients[b"/held"].response().body == b"late"


def test_retry_after(service: HttpService) -> None:
    """An endpoint that says when to ask again is left alone until then."""
    origin = service.origin()
    answered = threading.Event()
    origin.on(
        b"/healthz", response(b"Content-Length: 0", b"Retry-After: 3600", line=b"HTTP/1.1 503 Such"), answered.set
    )
    serve(service, origin)
    assert answered.wait(10)
    with service.client() as client:
        for _ in range(20):
            assert client.exchange(get(b"/")).status == 503
    assert checked(service)["attempt"] == 1


def test_one_connection_for_all_checks(service: HttpService) -> None:
    """While the endpoint keeps it open; when it does not, the next check opens another, and has not failed."""
    origin = service.origin()
    origin.on(b"/healthz", ok(b"well"))
    serve(service, origin, reuse_connection=True)
    wait_for_checks(service, 5)
    assert len(origin.connections) == 1
    origin.on(b"/healthz", ok(b"well"), Move.CLOSE)
    wait_until(lambda: len(origin.connections) > 3, "more connections")
    assert (healthy(service), checked(service)["failure"]) == (1, 0)
    # A reload that asks for something else leaves nothing open.
    service.apply(to(origin, health_checks=[CHECK | {"type": "tcp"}], **STRICT))
    wait_for_checks(service, 3)


def test_each_check_has_a_connection_of_its_own(service: HttpService) -> None:
    """By default."""
    origin = service.origin()
    origin.on(b"/healthz", ok(b"well"))
    serve(service, origin)
    wait_for_checks(service, 3)
    assert all(len(each.requests) <= 1 for each in origin.connections)


def test_head(service: HttpService) -> None:
    """Has no body, whatever it says."""
    origin = service.origin()
    origin.on(b"/healthz", response(b"Content-Length: 5"))
    serve(service, origin, method="HEAD", reuse_connection=True)
    wait_for_checks(service, 3)
    assert (healthy(service), len(origin.connections)) == (1, 1)


def test_only_what_passes_is_used(service: HttpService) -> None:
    """The other one answers requests well, and its checks not."""
    origins = [service.origin(), service.origin()]
    for origin in origins:
        origin.on(b"/healthz", ok(b""))
    origins[1].on(b"/healthz", response(b"Content-Length: 0", line=b"HTTP/1.1 500 Such"))
    serve(service, *origins)
    with service.client() as client:
        for _ in range(10):
            assert client.exchange(get(b"/")).status == 200
        assert not [message for message in origins[1].requests if message.target == b"/"]
        origins[1].on(b"/healthz", ok(b""))
        wait_until(lambda: healthy(service) == 2, "both are healthy")
        for _ in range(10):
            assert client.exchange(get(b"/")).status == 200
    assert [message for message in origins[1].requests if message.target == b"/"]
