"""Every way in which a request can fail, and what its access record says of it: status, response flags, detail."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pytest

from mesh_core.telemetry.response_flags import FLAGS
from tests.support.http_client import Incomplete
from tests.support.http_messages import get, ok, ok_chunked, post_chunked, request, response
from tests.support.http_origin import Gate, HttpOrigin, Move, Step
from tests.support.http_service import HttpService, to
from tests.support.peer import refusing

HALF_REQUEST = request(b"Content-Length: 10", line=b"POST / HTTP/1.1") + b"half"
HALF_RESPONSE = response(b"Content-Length: 10") + b"half"
SWITCHED = b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: %s\r\n\r\n"
LARGE = bytes(16 << 20)


@dataclass
class Case:
    """What is sent, what the origin does about it, and what is recorded."""

    name: str
    status: int
    flags: str
    detail: str
    steps: tuple[Step, ...] = ()
    sent: bytes = field(default_factory=lambda: get(b"/"))
    http: dict[str, Any] = field(default_factory=dict)
    route: dict[str, Any] = field(default_factory=dict)
    cluster: dict[str, Any] = field(default_factory=dict)
    overload: tuple[str, ...] = ()  # actions that are in force


# What is counted, once: of the listener, or of the cluster.
COUNTERS = {
    "no such route": "listener.no_route",
    "said by the route": "listener.rq_direct_response",
    "sent elsewhere": "listener.rq_redirect",
    "no host": "listener.downstream_cx_protocol_error",
    "a long head": "listener.downstream_cx_protocol_error",
    "a long line": "listener.downstream_cx_protocol_error",
    "a slow head": "listener.downstream_rq_header_timeout",
    "a bad chunk": "listener.downstream_cx_protocol_error",
    "a slow request": "listener.downstream_rq_timeout",
    "a request that trickles": "listener.downstream_rq_too_slow",
    "a large request": "listener.downstream_rq_too_large",
    "silence of the client": "listener.downstream_rq_idle_timeout",
    "silence": "listener.downstream_rq_idle_timeout",
    "silence in an answer": "listener.downstream_rq_idle_timeout",
    "a late answer": "cluster.upstream_rq_timeout",
    "a late end": "cluster.upstream_rq_timeout",
    "a long request": "listener.downstream_rq_max_duration_reached",
    "a long answer": "listener.downstream_rq_max_duration_reached",
    "nonsense": "cluster.upstream_cx_protocol_error",
    "another protocol": "cluster.upstream_cx_protocol_error",
    "a large head": "cluster.upstream_cx_protocol_error",
    "a large answer": "listener.rs_too_large",
    "an answer that gets large": "listener.rs_too_large",
    "no answer": "cluster.upstream_rq_rx_reset",
    "a reset": "cluster.upstream_rq_rx_reset",
    "half an answer": "cluster.upstream_rq_rx_reset",
    "a late attempt": "cluster.upstream_rq_per_try_timeout",
    "every attempt late": "cluster.upstream_rq_retry_limit_exceeded",
    "every attempt closed": "cluster.upstream_rq_retry_limit_exceeded",
    "no retry allowed": "cluster.upstream_rq_retry_overflow",
    "a fault": "listener.fault.aborts_injected",
    "a delay": "listener.fault.delays_injected",
    "a delay and a fault": "listener.fault.aborts_injected",
    "a rate limit": "rate_limit.enforced",
    "overload": "listener.downstream_rq_overload_close",
    "a preflight": "listener.cors.preflight",
}
QUICK = {"base_interval_ms": 1, "max_interval_ms": 1}

CASES = (
    Case("an answer", 200, "-", "via_upstream"),
    Case("no such route", 404, "NR", "route_not_found", route={"matches": [{"path": {"prefix": "/other"}}]}),
    Case("no weight", 500, "NC", "cluster_not_found",
         route={"cluster": None, "clusters": [{"cluster": "app", "weight": 0}]}),
    Case("no upgrade", 403, "-", "upgrade_refused", sent=request(line=b"CONNECT a:80 HTTP/1.1", host=b"Host: a:80")),
    Case("said by the route", 418, "-", "direct_response",
         route={"cluster": None, "direct_response": {"status": 418}}),
    Case("sent elsewhere", 302, "-", "redirect", route={"cluster": None, "redirect": {"host": "b"}}),
    Case("no host", 400, "DPE", "http1.no_host", sent=b"GET / HTTP/1.1\r\n\r\n"),
    Case("a long head", 431, "DPE", "http1.head_too_large", sent=get(b"/", b"X: " + b"x" * 2000),
         http={"max_header_bytes": 1024}),
    Case("a long line", 414, "DPE", "http1.start_line_too_long", sent=get(b"/" + b"x" * 300),
         http={"max_start_line_bytes": 256}),
    Case("a slow head", 408, "DPE", "request_header_timeout", sent=b"GET / HT",
         http={"request_headers_timeout_ms": 60}),
    Case("an old version", 426, "DPE", "low_version", sent=b"GET / HTTP/1.0\r\n\r\n", http={"accept_http_10": False}),
    Case("a bad path", 400, "DPE", "http1.escaped_slash", sent=get(b"/%2f"),
         http={"path_with_escaped_slashes_action": "reject_request"}),
    Case("a bad chunk", 400, "DPE", "http1.bad_chunk_size", sent=post_chunked(b"x\r\n")),
    Case("a slow request", 408, "DPE", "request_timeout", sent=HALF_REQUEST, http={"request_timeout_ms": 60}),
    Case("a request that trickles", 408, "DPE", "request_too_slow", sent=HALF_REQUEST,
         http={"min_body_rate": {"request_bytes_per_s": 1000, "grace_ms": 30, "window_ms": 30}}),
    Case("a large request", 413, "DPE", "request_body_too_large", sent=HALF_REQUEST,
         http={"body_limits": {"request_bytes": 9}}),
    Case("silence of the client", 408, "SI", "stream_idle_timeout", sent=HALF_REQUEST,
         http={"stream_idle_timeout_ms": 60}),
    Case("silence", 504, "SI", "stream_idle_timeout", (Gate(),), http={"stream_idle_timeout_ms": 60}),
    Case("silence in an answer", 200, "SI", "stream_idle_timeout", (HALF_RESPONSE, Gate()),
         http={"stream_idle_timeout_ms": 60}),
    Case("a late answer", 504, "UT", "response_timeout", (Gate(),), route={"timeouts": {"request_ms": 60}}),
    Case("a late end", 200, "UT", "response_timeout", (HALF_RESPONSE, Gate()), route={"timeouts": {"request_ms": 60}}),
    Case("a long request", 408, "DT", "max_stream_duration", sent=HALF_REQUEST, http={"max_stream_duration_ms": 60}),
    Case("a long answer", 504, "DT", "max_stream_duration", (Gate(),),
         route={"timeouts": {"max_stream_duration_ms": 60}}),
    Case("nonsense", 502, "UPE", "http1.bad_start_line", (b"nonsense\r\n\r\n",)),
    Case("another protocol", 502, "UPE", "http1.unexpected_upgrade", (SWITCHED % b"other",)),
    Case("a large head", 502, "UPE", "http1.head_too_large",
         (response(b"X: " + b"x" * 2000, b"Content-Length: 0"),), cluster={"http": {"max_header_bytes": 1024}}),
    Case("a large answer", 502, "UPE", "response_body_too_large", (ok(b"0123456789"),),
         route={"body_limits": {"response_bytes": 9}}),
    Case("an answer that gets large", 502, "UPE", "response_body_too_large",
         (ok_chunked(b"a\r\n0123456789\r\n0\r\n\r\n"),), route={"body_limits": {"response_bytes": 9}}),
    Case("no answer", 503, "UC", "upstream_closed_before_response", (Move.CLOSE,)),
    Case("a reset", 503, "UC", "upstream_closed_before_response", (Move.RESET,)),
    Case("half an answer", 200, "UC", "upstream_closed_in_response", (HALF_RESPONSE, Move.CLOSE)),
    Case("a late attempt", 504, "UT", "per_try_timeout", (Gate(),),
         route={"timeouts": {"per_try_ms": 60}, "retry": {"attempts": 0}}),
    Case("every attempt late", 504, "URX,UT", "per_try_timeout", (Gate(),),
         route={"timeouts": {"per_try_ms": 60}, "retry": QUICK | {"attempts": 1}}),
    Case("every attempt closed", 503, "UC,URX", "upstream_closed_before_response", (Move.CLOSE,),
         route={"retry": QUICK | {"attempts": 2}}),
    Case("every attempt answered badly", 500, "URX", "via_upstream",
         (response(b"Content-Length: 0", line=b"HTTP/1.1 500 No"),),
         route={"retry": QUICK | {"attempts": 1, "retry_on": ["5xx"]}}),
    Case("no retry allowed", 503, "UC,UO", "upstream_closed_before_response", (Move.CLOSE,),
         route={"retry": {"budget": {"percent": 0, "min_concurrency": 0}}}),
    Case("a fault", 418, "FI", "fault_filter_abort", route={"fault": {"abort": {"status": 418}}}),
    Case("a delay", 200, "DI", "via_upstream", route={"fault": {"delay": {"fixed_ms": 10}}}),
    Case("a delay and a fault", 503, "DI,FI", "fault_filter_abort",
         route={"fault": {"delay": {"fixed_ms": 10}, "abort": {"status": 503}}}),
    Case("a rate limit", 429, "RL", "local_rate_limited", sent=get(b"/") * 2,
         route={"rate_limits": [
             {"name": "few", "max_tokens": 1, "tokens_per_fill": 1, "fill_interval_ms": 3_600_000}]}),
    Case("overload", 503, "OM", "overload", overload=("refuse_low", "refuse_default")),
    Case("overload of a direct response", 418, "-", "direct_response", overload=("refuse_low", "refuse_default"),
         route={"cluster": None, "direct_response": {"status": 418}}),
    Case("a preflight", 204, "-", "cors_preflight",
         sent=request(b"Origin: https://a", b"Access-Control-Request-Method: PUT", line=b"OPTIONS / HTTP/1.1"),
         route={"cors": {"allow_origins": ["https://a"]}}),
)


def run(service: HttpService, case: Case, origin: HttpOrigin) -> None:
    """Send what the case says, and wait for the end of whatever comes of it."""
    origin.on(b"/", *case.steps) if case.steps else None
    route = {key: value for key, value in ({"cluster": "app"} | case.route).items() if value is not None}
    service.serve(
        to(origin, **case.cluster), routes=[route], http=case.http or None, access_log=service.log)
    service.proxy.proxy._compiler.overload.set(frozenset(case.overload))
    with service.client() as client:
        client.send(case.sent)
        try:
            # Where there are two, it is the second one that fails.
            for _ in range(case.sent.count(b"GET / ") - 1):
                assert client.response().status == 200
            assert client.response(case.sent.partition(b" ")[0]).status == case.status
        except Incomplete as incomplete:
            assert incomplete.head is not None
            assert incomplete.head.status == case.status


@pytest.mark.parametrize("case", CASES, ids=[case.name for case in CASES])
def test_what_is_recorded(service: HttpService, case: Case) -> None:
    """One record, with exactly these."""
    origin = service.origin()
    run(service, case, origin)
    record = service.proxy.records(max(1, case.sent.count(b"GET / ")))[-1]
    assert (record["response_code"], record["response_flags"], record["response_code_details"]) == (
        case.status, case.flags, case.detail)
    if case.name in COUNTERS:
        kind, _, counter = COUNTERS[case.name].partition(".")
        label = {"listener": "in", "cluster": "app", "rate_limit": "few"}[kind]
        service.proxy.wait_for_stat(1, counter, kind, label)
    for step in case.steps:
        if isinstance(step, Gate):
            step.open()


def test_the_table_is_whole() -> None:
    """Every flag is in it, or in one of the tests below. Only HTTP/2 will have resets that are no loss of a
    connection."""
    told = {flag for case in CASES for flag in case.flags.split(",")}
    assert told | {"UH", "UF", "DC", "-"} == (set(FLAGS) - {"UR", "LR"}) | {"-"}
    assert {case.name for case in CASES} >= set(COUNTERS)


def records_of(service: HttpService, count: int) -> dict[str, tuple[int, str, str]]:
    """What was recorded of each path."""
    return {
        each["path"]: (each["response_code"], each["response_flags"], each["response_code_details"])
        for each in service.proxy.records(count)
    }


def test_nobody_to_send_to(service: HttpService) -> None:
    """UH without an endpoint, UF where it refuses."""
    with refusing() as nobody:
        routes = [
            {"name": name, "matches": [{"path": {"prefix": f"/{name}"}}], "cluster": name}
            for name in ("empty", "refused")
        ]
        service.serve(
            to(name="empty"), to(nobody, name="refused", retry={"max_connect_attempts": 1}), routes=routes,
            access_log=service.log)
        assert service.get(b"/empty").status == service.get(b"/refused").status == 503
    found = records_of(service, 2)
    assert found["/empty"] == (503, "UH", "no_endpoint")
    assert found["/refused"][1:] in (("UF", "connect_failed"), ("UF,URX", "connect_failed"))


@pytest.mark.parametrize(("breaker", "detail"), [
    ({"max_requests": 1}, "request_overflow"),
    ({"max_pending_requests": 1, "max_connections": 1}, "pending_request_overflow"),
])
def test_too_many(service: HttpService, breaker: dict[str, int], detail: str) -> None:
    """UO: over the limit of requests, and of those that wait."""
    origin = service.origin()
    gate = Gate()
    origin.on(b"/held", gate, ok(b"done"))
    service.serve(to(origin, circuit_breakers=breaker), access_log=service.log)
    held = [service.client()]
    held[0].send(get(b"/held"))
    gate.wait_reached()
    if "max_connections" in breaker:
        held.append(service.client())
        held[1].send(get(b"/waits"))
        service.proxy.wait_for_stat(2, "upstream_rq_active", "cluster", "app")
    assert service.get(b"/over").status == 503
    gate.open()
    for client in held:
        assert client.response().status == 200
    found = records_of(service, len(held) + 1)
    assert found["/over"] == (503, "UO", detail)
    assert found["/held"] == (200, "-", "via_upstream")


def in_request(service: HttpService, origin: HttpOrigin) -> None:
    client = service.client()
    client.send(HALF_REQUEST.replace(b" / ", b" /gone "))
    origin.wait(lambda: origin.connections and origin.connections[0].unfinished, "the begin of the request")
    client.peer.end()
    client.until_end()


def before_the_answer(service: HttpService, origin: HttpOrigin) -> None:
    gate = Gate()
    origin.on(b"/gone", gate)
    client = service.client()
    client.send(get(b"/gone"))
    gate.wait_reached()
    client.peer.reset()
    service.proxy.wait_for_connections(0)
    gate.open()


def in_the_answer(service: HttpService, origin: HttpOrigin) -> None:
    origin.on(b"/gone", ok(LARGE))
    client = service.client()
    client.send(get(b"/gone"))
    assert client.received(4) == b"HTTP"
    client.peer.reset()


@pytest.mark.parametrize(("leave", "status", "details"), [
    (in_request, 0, {"downstream_closed_in_request"}),
    (before_the_answer, 0, {"downstream_reset"}),
    # What notices it first: that it can be sent nothing, or that it says so.
    (in_the_answer, 200, {"downstream_closed_in_response", "downstream_reset"}),
])
def test_clients_that_go(
    service: HttpService, leave: Callable[[HttpService, HttpOrigin], None], status: int, details: set[str]
) -> None:
    """DC, and how far they had come."""
    origin = service.origin()
    service.serve(to(origin), access_log=service.log)
    leave(service, origin)
    record = service.proxy.record()
    assert (record["response_code"], record["response_flags"]) == (status, "DC")
    assert record["response_code_details"] in details
