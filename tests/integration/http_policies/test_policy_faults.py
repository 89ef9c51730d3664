"""Fault injection: what is delayed, what is failed, and what the upstream sees of it."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.support.http_messages import get, post, post_chunked
from tests.support.http_origin import HttpOrigin
from tests.support.http_service import HttpService, to
from tests.support.waiting import wait_until

LONG_MS = 600_000


def serve(service: HttpService, fault: dict[str, Any], **more: Any) -> HttpOrigin:
    origin = service.origin()
    log = {"path": str(service.folder / "access.json")}
    service.serve(to(origin), routes=[{"cluster": "app", "fault": fault}], access_log=log, **more)
    return origin


def logged(service: HttpService) -> list[dict[str, Any]]:
    """The records so far."""
    text = (service.folder / "access.json").read_text()
    return [json.loads(line) for line in text.splitlines()]


def counts(service: HttpService) -> tuple[int, int, int]:
    """Delays, aborts, delays left out."""
    stats = service.listener()
    return stats["fault.delays_injected"], stats["fault.aborts_injected"], stats["fault.faults_overflow"]


def test_abort(service: HttpService) -> None:
    origin = serve(service, {"abort": {"status": 418}})
    with service.client() as client:
        answer = client.exchange(get(b"/"))
        assert (answer.status, answer.body) == (418, b"fault_filter_abort")
        # The connection goes on.
        assert client.exchange(get(b"/")).status == 418
    assert origin.connections == []
    assert counts(service) == (0, 2, 0)
    wait_until(lambda: len(logged(service)) == 2, "two records")
    assert {(each["response_flags"], each["response_code"]) for each in logged(service)} == {("FI", 418)}


@pytest.mark.parametrize("delay", [{}, {"delay": {"fixed_ms": 20}}], ids=["at-once", "later"])
def test_abort_of_an_upgrade(service: HttpService, delay: dict[str, Any]) -> None:
    """What came behind it is another protocol's, and no request."""
    origin = serve(service, delay | {"abort": {"status": 418}})
    with service.client() as client:
        client.send(get(b"/", b"Connection: upgrade", b"Upgrade: websocket") + get(b"/behind"))
        assert client.response().status == 418
        assert client.response().body == b"bad_upgrade"
        assert client.expect_closed()
    assert origin.connections == []
    assert counts(service) == (len(delay), 1, 0)


def test_abort_with_another_request_behind_it(service: HttpService) -> None:
    serve(service, {"delay": {"fixed_ms": 20}, "abort": {"status": 418}})
    with service.client() as client:
        client.send(get(b"/") * 2)
        assert [client.response().status for _ in range(2)] == [418, 418]
    assert counts(service) == (2, 2, 0)


@pytest.mark.parametrize(
    ("sent", "body"),
    [
        (get(b"/"), b""),
        (post(b"body"), b"body"),
        (post_chunked(b"4\r\nbody\r\n0\r\n\r\n"), b"body"),
        (post(b"x" * 100_000), b"x" * 100_000),
    ],
    ids=["get", "length", "chunked", "long"],
)
def test_delay(service: HttpService, sent: bytes, body: bytes) -> None:
    origin = serve(service, {"delay": {"fixed_ms": 30}})
    with service.client() as client:
        for _ in range(2):
            assert client.exchange(sent).status == 200
    assert [message.body for message in origin.requests] == [body, body]
    assert counts(service) == (2, 0, 0)
    wait_until(lambda: len(logged(service)) == 2, "two records")
    for each in logged(service):
        assert each["response_flags"] == "DI"
        assert each["duration"] >= 30


def test_pipelined_requests_wait_for_each_other(service: HttpService) -> None:
    origin = serve(service, {"delay": {"fixed_ms": 20}})
    with service.client() as client:
        client.send(get(b"/1") + post(b"two", target=b"/2") + get(b"/3"))
        assert [client.response().body.split()[1] for _ in range(3)] == [b"/1", b"/2", b"/3"]
    assert [message.target for message in origin.requests] == [b"/1", b"/2", b"/3"]


def test_delay_and_abort(service: HttpService) -> None:
    origin = serve(service, {"delay": {"fixed_ms": 10}, "abort": {"status": 503}})
    with service.client() as client:
        client.send(get(b"/1") + get(b"/2"))
        assert [client.response().status for _ in range(2)] == [503, 503]
    assert origin.connections == []
    assert counts(service) == (2, 2, 0)
    wait_until(lambda: len(logged(service)) == 2, "two records")
    assert {each["response_flags"] for each in logged(service)} == {"DI,FI"}


def test_a_client_that_goes_away_ends_its_delay(service: HttpService) -> None:
    origin = serve(service, {"delay": {"fixed_ms": LONG_MS}, "max_active": 1})
    with service.client() as client:
        client.send(post(b"x" * 1000))
        wait_until(lambda: counts(service) == (1, 0, 0), "a delay")
        # Enough are delayed: this one is not.
        assert service.get(b"/at-once").status == 200
        assert counts(service) == (1, 0, 1)
        client.peer.reset()
    wait_until(lambda: service.listener()["downstream_rq_active"] == 0, "the end of the request")
    with service.client() as client:
        client.send(get(b"/"))
        wait_until(lambda: counts(service) == (2, 0, 1), "a second delay")
        client.peer.reset()
    assert [message.target for message in origin.requests] == [b"/at-once"]


def test_by_header_match(service: HttpService) -> None:
    origin = serve(service, {"abort": {"status": 503}, "headers": [{"name": "x-fail", "prefix": "y"}]})
    assert service.get(b"/", b"X-Fail: yes").status == 503
    assert service.get(b"/", b"X-Fail: no").status == 200
    assert service.get(b"/").status == 200
    assert len(origin.requests) == 2


def test_none_of_a_hundred(service: HttpService) -> None:
    serve(service, {"abort": {"status": 503, "percentage": 0}, "delay": {"fixed_ms": LONG_MS, "percentage": 0}})
    with service.client() as client:
        assert {client.exchange(get(b"/")).status for _ in range(100)} == {200}


@pytest.mark.parametrize("allowed", [True, False])
def test_by_request_headers(service: HttpService, allowed: bool) -> None:
    serve(service, {"abort": {"status": 500, "percentage": 0}, "by_request_headers": allowed})
    asked = b"x-envoy-fault-abort-request: 429"
    # The part is no more than what is written.
    assert service.get(b"/", asked).status == 200
    service.apply(
        to(service.origin()), routes=[{"cluster": "app", "fault": {
            "delay": {"fixed_ms": 1, "percentage": 0}, "by_request_headers": allowed}}],
    )  # fmt: skip
    assert service.get(b"/", asked).status == (429 if allowed else 200)
    assert service.get(b"/", asked, b"x-envoy-fault-abort-request-percentage: 0").status == 200
    assert service.get(b"/", b"x-envoy-fault-abort-request: 99").status == 200


def test_answers_of_routes_fail_too(service: HttpService) -> None:
    fault = {"delay": {"fixed_ms": 10}}
    service.serve(to(service.origin()), routes=[{"direct_response": {"status": 404}, "fault": fault}])
    with service.client() as client:
        client.send(get(b"/1") + get(b"/2"))
        assert [client.response().status for _ in range(2)] == [404, 404]
    assert counts(service)[0] == 2
