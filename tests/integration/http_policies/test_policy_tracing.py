"""Trace context: what the upstream is told, and what the access log."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.support.http_oracles import Message
from tests.support.http_service import HttpService, to
from tests.support.waiting import wait_until

TRACE = b"4bf92f3577b34da6a3ce929d0e0e4736"
SPAN = b"00f067aa0ba902b7"
TRACEPARENT = b"traceparent: 00-" + TRACE + b"-" + SPAN


def serve(service: HttpService, **tracing: Any) -> Any:
    origin = service.origin()
    log = {"path": str(service.folder / "access.json")}
    service.serve(to(origin), http={"tracing": tracing}, access_log=log)
    return origin


def asked(service: HttpService, origin: Any, *fields: bytes) -> Message:
    """What the upstream gets of a request with these fields."""
    assert service.get(b"/", *fields).status == 200
    return origin.requests[-1]


def test_passed_on(service: HttpService) -> None:
    origin = serve(service)
    got = asked(service, origin, TRACEPARENT + b"-01", b"tracestate: a=1, b@c=2", b"TraceState: d=3")
    (parent,) = got.values(b"traceparent")
    version, trace, span, flags = parent.split(b"-")
    assert (version, trace, flags) == (b"00", TRACE, b"01")
    assert span not in (SPAN, b"0" * 16)
    assert got.values(b"tracestate") == [b"a=1, b@c=2", b"d=3"]
    assert got.values(b"b3") == []
    # Each request has a span of its own, in the same trace; not sampled stays so.
    (other,) = asked(service, origin, TRACEPARENT + b"-00").values(b"traceparent")
    assert other.split(b"-")[1] == TRACE
    assert other.split(b"-")[2] != span
    assert other.split(b"-")[3] == b"00"
    wait_until(lambda: (service.folder / "access.json").read_text().count("\n") == 2, "two records")
    records = [json.loads(line) for line in (service.folder / "access.json").read_text().splitlines()]
    assert [each["trace_id"] for each in records] == [TRACE.decode()] * 2
    assert [each["span_id"] for each in records] == [span.decode(), other.split(b"-")[2].decode()]
    assert [each["trace_sampled"] for each in records] == ["true", "false"]


@pytest.mark.parametrize("percent", [0, 100])
def test_begun(service: HttpService, percent: int) -> None:
    origin = serve(service, random_sampling=percent)
    traces = set()
    for _ in range(5):
        (parent,) = asked(service, origin, b"tracestate: a=1").values(b"traceparent")
        assert parent.endswith(b"-01" if percent else b"-00")
        assert origin.requests[-1].values(b"tracestate") == []
        traces.add(parent.split(b"-")[1])
    assert len(traces) == 5
    assert service.listener()["tracing.started"] == 5
    assert service.listener()["tracing.malformed"] == 0


def test_malformed(service: HttpService) -> None:
    origin = serve(service)
    bad = [TRACEPARENT, b"traceparent: x", TRACEPARENT.upper() + b"-01"]
    for field in bad:
        (parent,) = asked(service, origin, field, b"tracestate: a=1").values(b"traceparent")
        assert TRACE not in parent
        assert origin.requests[-1].values(b"tracestate") == []
    twice = asked(service, origin, TRACEPARENT + b"-01", TRACEPARENT + b"-00")
    assert len(twice.values(b"traceparent")) == 1
    assert TRACE not in twice.values(b"traceparent")[0]
    assert service.listener()["tracing.malformed"] == 4
    # A tracestate alone may be wrong.
    got = asked(service, origin, TRACEPARENT + b"-01", b"tracestate: no member")
    assert TRACE in got.values(b"traceparent")[0]
    assert got.values(b"tracestate") == []
    assert service.listener()["tracing.malformed"] == 5


def test_from_b3_to_everything(service: HttpService) -> None:
    origin = serve(service, propagation=["w3c", "b3", "b3_multi"])
    got = asked(service, origin, b"b3: " + TRACE + b"-" + SPAN + b"-d", b"tracestate: a=1")
    (parent,) = got.values(b"traceparent")
    span = parent.split(b"-")[2]
    assert parent == b"00-" + TRACE + b"-" + span + b"-01"
    assert got.values(b"tracestate") == []
    assert got.values(b"b3") == [TRACE + b"-" + span + b"-d-" + SPAN]
    assert got.values(b"x-b3-traceid") == [TRACE]
    assert got.values(b"x-b3-spanid") == [span]
    assert got.values(b"x-b3-parentspanid") == [SPAN]
    assert got.values(b"x-b3-flags") == [b"1"]
    assert got.values(b"x-b3-sampled") == []


def test_several_headers_with_a_short_id(service: HttpService) -> None:
    origin = serve(service, propagation=["w3c", "b3_multi"])
    got = asked(
        service,
        origin,
        b"X-B3-TraceId: " + TRACE[:16].upper(),
        b"X-B3-SpanId: " + SPAN,
        b"X-B3-Sampled: 0",
        b"b3: 1",
    )
    (parent,) = got.values(b"traceparent")
    assert parent.split(b"-")[1] == b"0" * 16 + TRACE[:16]
    assert parent.endswith(b"-00")
    assert got.values(b"x-b3-traceid") == [TRACE[:16]]
    assert got.values(b"x-b3-sampled") == [b"0"]
    # Not one of those that are configured.
    assert got.values(b"b3") == [b"1"]


def test_a_decision_alone(service: HttpService) -> None:
    origin = serve(service, propagation=["b3"], random_sampling=100)
    assert asked(service, origin, b"b3: 0").values(b"b3")[0].endswith(b"-0")
    assert asked(service, origin, b"b3: " + TRACE + b"-" + SPAN).values(b"b3")[0].endswith(b"-1-" + SPAN)


def test_without_it_headers_go_on(service: HttpService) -> None:
    origin = service.origin()
    service.serve(to(origin))
    got = asked(service, origin, TRACEPARENT, b"b3: x", b"tracestate: y")
    assert [got.values(name) for name in (b"traceparent", b"b3", b"tracestate")] == [
        [TRACEPARENT.removeprefix(b"traceparent: ")], [b"x"], [b"y"],
    ]  # fmt: skip


def test_a_delayed_request_has_one_span(service: HttpService) -> None:
    origin = service.origin()
    route = {"cluster": "app", "fault": {"delay": {"fixed_ms": 10}}}
    service.serve(to(origin), routes=[route], http={"tracing": {}})
    (parent,) = asked(service, origin, TRACEPARENT + b"-01").values(b"traceparent")
    assert parent.split(b"-")[1] == TRACE
    assert service.listener()["tracing.started"] == 0
