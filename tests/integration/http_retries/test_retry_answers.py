"""Answers that are tried again: by status, by header, after the time that they ask for, and within the budget."""

from __future__ import annotations

import time
from email.utils import formatdate
from typing import Any

import pytest

from tests.integration.http_retries.test_retry_failures import failing, serve
from tests.support.http_messages import get, ok, post, request, response
from tests.support.http_origin import Gate, HttpOrigin, Move
from tests.support.http_service import HttpService, http_listener, to


def answering(service: HttpService, status: int, *fields: bytes, body: bytes = b"bad") -> HttpOrigin:
    """An origin that answers everything so."""
    head = response(b"Content-Length: %d" % len(body), *fields, line=b"HTTP/1.1 %d Said" % status)
    return failing(service, head + body)


@pytest.mark.parametrize(
    ("retry", "status", "retried"),
    [
        ({}, 503, True), ({}, 502, True), ({}, 504, True), ({}, 500, False), ({}, 404, False), ({}, 409, False),
        ({"retry_on": ["5xx"]}, 500, True), ({"retry_on": ["5xx"]}, 599, True), ({"retry_on": ["5xx"]}, 429, False),
        ({"retry_on": ["gateway-error"]}, 503, True), ({"retry_on": ["gateway-error"]}, 501, False),
        ({"retry_on": ["reset"]}, 503, False), ({"retry_on": ["connect-failure"]}, 503, False),
        ({"retry_on": ["retriable-4xx"]}, 409, True), ({"retry_on": ["retriable-4xx"]}, 404, False),
        ({"retry_on": ["retriable-status-codes"], "status_codes": [418]}, 418, True),
        ({"retry_on": [], "status_codes": [429]}, 429, True),
        ({"retry_on": ["retriable-headers"], "headers": [{"name": "x-again", "present": True}]}, 200, True),
        ({"retry_on": ["retriable-headers"], "headers": [{"name": "x-again", "exact": "no"}]}, 200, False),
    ],
)  # fmt: skip
def test_statuses_and_headers(service: HttpService, retry: dict[str, Any], status: int, retried: bool) -> None:
    bad, good = answering(service, status, b"X-Again: yes"), service.origin()
    serve(service, bad, good, **retry)
    with service.client() as client:
        answers = [client.exchange(get(b"/")) for _ in range(2)]
    bodies = sorted(each.body for each in answers)
    assert bodies == ([b"GET /\n"] * 2 if retried else [b"GET /\n", b"bad"])
    assert len(bad.requests) >= 1


@pytest.mark.parametrize(
    ("condition", "said", "retried"),
    [
        ("cancelled", b"1", True), ("deadline-exceeded", b"4", True), ("resource-exhausted", b"8", True),
        ("internal", b"13", True), ("unavailable", b"14", True), ("unavailable", b"13", False),
        ("unavailable", b"0", False), ("unavailable", b"46", False), ("unavailable", b"014", False),
        ("unavailable", b"", False), ("unavailable", b"-2", False), ("5xx", b"14", False),
    ],
)  # fmt: skip
def test_statuses_of_grpc(service: HttpService, condition: str, said: bytes, retried: bool) -> None:
    """Of answers without a message: their trailers are their head."""
    bad, good = answering(service, 200, b"Grpc-Status: " + said, b"Content-Type: application/grpc"), service.origin()
    serve(service, bad, good, retry_on=[condition], methods=["POST"])
    with service.client() as client:
        answers = [client.exchange(post(b"hello"), b"POST").body for _ in range(2)]
    assert sorted(answers) == ([b"POST /\nhello"] * 2 if retried else [b"POST /\nhello", b"bad"])


def test_a_last_answer_of_grpc_is_no_success(service: HttpService) -> None:
    origins = [answering(service, 200, b"grpc-status: 14") for _ in range(2)]
    serve(service, *origins, retry_on=["unavailable"], attempts=1)
    assert service.get(b"/").values(b"grpc-status") == [b"14"]
    assert service.served(*origins) == [1, 1]
    assert service.cluster()["upstream_rq_retry_success"] == 0


@pytest.mark.parametrize("fields", [(), (b"Connection: close",)])
def test_a_connection_whose_answer_is_dropped(service: HttpService, fields: tuple[bytes, ...]) -> None:
    """What has come whole leaves its connection to the next request."""
    bad = answering(service, 503, *fields)
    serve(service, bad, attempts=3)
    assert service.get(b"/").status == 503
    assert len(bad.requests) == 4
    assert len(bad.connections) == (4 if fields else 1)


def test_an_answer_whose_body_is_still_to_come(service: HttpService) -> None:
    """Nobody waits for it: its connection is closed."""
    gate = Gate()
    bad = failing(service, response(b"Content-Length: 9", line=b"HTTP/1.1 503 Said") + b"half", gate, b" more")
    good = service.origin()
    serve(service, bad, good)
    with service.client() as client:
        assert {client.exchange(get(b"/")).status for _ in range(2)} == {200}
    gate.open()
    bad.wait(lambda: bad.connections[0].ended, "the end of the connection")


def test_the_last_answer_is_passed_on(service: HttpService) -> None:
    """With its body, and what the proxy counted."""
    first, second = answering(service, 503, body=b"one"), answering(service, 503, body=b"two")
    serve(service, first, second, attempts=1)
    answer = service.get(b"/")
    assert (answer.status, answer.body in (b"one", b"two")) == (503, True)
    assert service.served(first, second) == [1, 1]
    assert service.cluster()["upstream_rq_retry_limit_exceeded"] == 1
    assert service.cluster()["upstream_rq_retry_success"] == 0


def test_what_must_not_be_sent_twice(service: HttpService) -> None:
    """A status says that it was processed, or may have been."""
    bad = answering(service, 503)
    serve(service, bad, retry_on=["5xx"])
    with service.client() as client:
        assert client.exchange(post(b"pay"), b"POST").status == 503
    assert len(bad.requests) == 1


def test_a_body_that_is_not_whole_yet(service: HttpService) -> None:
    """The answer comes before the request is whole: the rest goes where the retry goes."""
    bad, good = service.origin(), service.origin()
    bad.on(b"/", response(b"Content-Length: 0", line=b"HTTP/1.1 503 Early"), Move.END, when="head")
    serve(service, bad, good, methods=["POST"])
    with service.client() as client:
        for _ in range(2):
            client.send(request(b"Content-Length: 10", line=b"POST / HTTP/1.1") + b"hello")
            good.wait(lambda: any(each.unfinished for each in good.connections), "the begin of the request")
            client.send(b"world")
            assert client.response(b"POST").body == b"POST /\nhelloworld"


@pytest.mark.parametrize("value", [b"0", b"1", b"date"])
def test_retry_after(service: HttpService, value: bytes) -> None:
    """The wait is no shorter than what is asked for."""
    wait_s = 1 if value == b"1" else 0
    value = formatdate(time.time(), usegmt=True).encode() if value == b"date" else value
    bad, good = answering(service, 503, b"Retry-After: " + value), service.origin()
    serve(service, bad, good)
    begun = time.monotonic()
    with service.client() as client:
        assert {client.exchange(get(b"/")).status for _ in range(2)} == {200}
    assert time.monotonic() - begun >= wait_s * len(bad.requests)
    stats = service.cluster()
    assert stats["upstream_rq_retry_backoff_ratelimited"] == len(bad.requests) > 0
    assert stats["upstream_rq_retry_backoff_exponential"] == 0


@pytest.mark.parametrize(("most", "value", "retried"), [(5000, b"6", False), (0, b"6", True), (5000, b"soon", True)])
def test_retry_after_that_is_not_waited_for(service: HttpService, most: int, value: bytes, retried: bool) -> None:
    bad = answering(service, 503, b"Retry-After: " + value)
    serve(service, bad, attempts=1, max_retry_after_ms=most)
    assert service.get(b"/").status == 503
    assert len(bad.requests) == (2 if retried else 1)


def test_an_attempt_that_takes_too_long(service: HttpService) -> None:
    """per_try_ms: another endpoint gets it, and the one that hangs sees a reset."""
    gate = Gate()
    bad, good = failing(service, gate), service.origin()
    retry = {"base_interval_ms": 1}
    routes = [{"cluster": "app", "retry": retry, "timeouts": {"per_try_ms": 400}}]
    service.serve(to(bad, good, load_balancer="round_robin"), routes=routes)
    with service.client() as client:
        assert {client.exchange(get(b"/")).status for _ in range(2)} == {200}
        assert client.exchange(post(b"x", target=b"/x"), b"POST").status in (200, 504)
    gate.open()
    stats = service.cluster()
    assert stats["upstream_rq_per_try_timeout"] >= stats["upstream_rq_retry_success"] == stats["upstream_rq_retry"] > 0


def test_a_budget_of_nothing(service: HttpService) -> None:
    """UO: the answer there is is passed on."""
    bad = answering(service, 503)
    serve(service, bad, budget={"percent": 0, "min_concurrency": 0})
    assert service.get(b"/").body == b"bad"
    assert service.cluster()["upstream_rq_retry_overflow"] == 1


def test_who_finds_no_place_in_the_budget(service: HttpService) -> None:
    """One retry hangs; the other one waits for its place, and is answered by 503 when it has waited long enough."""
    gate = Gate()
    origin = failing(service, Move.CLOSE)
    origin.default = lambda _: ok(b"fine")
    once = iter([True])

    def first_fails() -> None:
        if next(once, False):
            raise ConnectionResetError

    origin.on(b"/", first_fails, gate, ok(b"late"))
    serve(service, origin, attempts=1, budget={"percent": 0, "min_concurrency": 1, "max_wait_ms": 60})
    with service.client() as first, service.client() as second:
        first.send(get(b"/"))
        gate.wait_reached()
        assert second.exchange(get(b"/x")).status == 503
        gate.open()
        assert first.response().body == b"late"
    assert service.cluster()["upstream_rq_retry_overflow"] == 1
    assert service.proxy.gauges()["upstream_rq_retry_active"] == 0


def test_no_storm_when_every_endpoint_is_dead(service: HttpService) -> None:
    """Attempts are at most 1.2 times the requests, however few there are at one time."""
    origins = [failing(service, Move.CLOSE) for _ in range(3)]
    requests = 400
    serve(service, *origins, attempts=5)
    with service.client() as client:
        assert {client.exchange(get(b"/")).status for _ in range(requests)} == {503}
    assert requests < sum(service.served(*origins)) <= 1.2 * requests
    assert service.cluster()["upstream_rq_retry_overflow"] > 0


def test_retries_that_help_cost_no_credit(service: HttpService) -> None:
    """One of three endpoints fails always."""
    bad, *good = failing(service, Move.CLOSE), service.origin(), service.origin()
    serve(service, bad, *good)
    with service.client() as client:
        assert {client.exchange(get(b"/")).status for _ in range(400)} == {200}
    assert service.cluster()["upstream_rq_retry"] == len(bad.requests) > 100


def test_what_the_access_log_tells(service: HttpService) -> None:
    """How many attempts, and that they were used up."""
    origins = [answering(service, 503) for _ in range(2)]
    path = service.folder / "access.log"
    words = "%RESPONSE_FLAGS% %RESPONSE_CODE% %UPSTREAM_REQUEST_ATTEMPT_COUNT%\n"
    routes = [{"cluster": "app", "retry": {"attempts": 1, "base_interval_ms": 1}}]
    log = {"path": str(path), "format": "text", "text_format": words}
    service.serve(to(*origins), listeners=[http_listener(routes=routes)], access_log=log)
    assert service.get(b"/").status == 503
    service.proxy.close()
    assert path.read_text() == "URX 503 2\n"
