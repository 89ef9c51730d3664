"""Access records of requests: what is kept of heads, and the lines that are made of them."""

from __future__ import annotations

import errno
import gc
import json
import os
import re
import socket
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mesh_core._testing.net import address_from_ip
from mesh_core._testing.request_log import CAPTURE_BYTES, CAPTURE_SIZE, TEXTS, RequestLog
from mesh_core._testing.telemetry import DETAIL_TEXTS, FLAG_NAMES, AccessRing
from mesh_core.config import AccessLog, load_builtins
from mesh_core.config.access_log_format import OPERATORS
from mesh_core.control.access_log_lines import access_format
from mesh_core.control.compiler import Compiler
from mesh_core.runtime.memory import fail_allocations_after_for_test, live_allocations
from mesh_core.telemetry.stats import StatsRegistry

REQUEST = (
    b"GET /a/b?c=d HTTP/1.1\r\nHost: shop.example:8080\r\nUser-Agent: curl/8\r\nX-Request-Id: r-1\r\n"
    b"X-Forwarded-For: 192.0.2.9\r\nX-Team: blue\r\nx-team: green\r\nX-Zone: eu\r\n\r\n"
)
RESPONSE = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nX-Served-By: node-3\r\n\r\n"
NUMBERS: dict[str, Any] = {
    "connection_id": 7,
    "start_time_us": 1_790_000_000_123_999,
    "received_us": 1_000_000,
    "received_end_us": 1_001_500,
    "upstream_sent_us": 1_002_000,
    "upstream_sent_end_us": 1_003_000,
    "responded_us": 1_010_000,
    "responded_end_us": 1_012_000,
    "ended_us": 1_015_999,
    "connect_time_us": 1_999,
    "bytes_received": 10,
    "bytes_sent": 2**62,
    "header_bytes_received": 120,
    "header_bytes_sent": 77,
    "status": 200,
    "attempts": 2,
    "protocol": 2,
    "detail": DETAIL_TEXTS.index("connect_failed"),
    "downstream_remote": address_from_ip("192.0.2.1", 50000),
    "downstream_local": address_from_ip("2001:db8::1", 8080),
    "upstream_local": address_from_ip("127.0.0.1", 40000),
}
NAMES = {"listener": b"in", "cluster": b"app", "endpoint": b"127.0.0.1:9001", "route": b"all", "virtual_host": b"shop"}


@pytest.fixture(autouse=True)
def nothing_leaks() -> Iterator[None]:
    gc.collect()
    before = live_allocations()
    yield
    fail_allocations_after_for_test(None)
    gc.collect()
    assert live_allocations() == before


def config(**access_log: Any) -> AccessLog:
    loaded = load_builtins({"access_log": {"path": "/dev/stdout", **access_log}})
    assert loaded.access_log is not None
    return loaded.access_log


def log_for(settings: AccessLog, **arguments: Any) -> RequestLog:
    snapshot = Compiler(1, StatsRegistry(1)).compile(load_builtins({"access_log": _builtins(settings)}), {}, {})
    return RequestLog(snapshot, **arguments)


def _builtins(log: AccessLog) -> dict[str, Any]:
    fields = {"path": log.path, "format": log.format, "json_format": log.json_format, "text_format": log.text_format}
    return {key: value for key, value in fields.items() if value is not None}


def line(settings: AccessLog, request: bytes = REQUEST, response: bytes = RESPONSE, **numbers: Any) -> str:
    log = log_for(settings)
    assert log.write(request, response, texts=numbers.pop("texts", NAMES), **NUMBERS | numbers)
    found: bytes = log.collect(access_format(settings))
    assert found.count(b"\n") == 1 and found.endswith(b"\n")
    return found.decode()[:-1]


def value(operator: str, **numbers: Any) -> Any:
    """What a JSON value of one operator is; the same in a text is judged too."""
    found = json.loads(line(config(json_format={"v": operator}), **numbers))["v"]
    text = line(config(format="text", text_format=f"<{operator}>"), **numbers)
    part = json.loads(line(config(json_format={"v": f"<{operator}>"}), **numbers))["v"]
    assert text == part == ("<->" if found is None else f"<{found}>")
    return found


def test_the_default_is_istios_json() -> None:
    assert list(json.loads(line(config())).items()) == [
        ("start_time", "2026-09-21T14:13:20.123Z"),
        ("method", "GET"),
        ("path", "/a/b?c=d"),
        ("protocol", "HTTP/1.1"),
        ("response_code", 200),
        ("response_flags", "-"),
        ("response_code_details", "connect_failed"),
        ("connection_termination_details", None),
        ("upstream_transport_failure_reason", None),
        ("bytes_received", 10),
        ("bytes_sent", 2**62),
        ("duration", 15),
        ("upstream_service_time", 7),
        ("x_forwarded_for", "192.0.2.9"),
        ("user_agent", "curl/8"),
        ("request_id", "r-1"),
        ("authority", "shop.example:8080"),
        ("upstream_host", "127.0.0.1:9001"),
        ("upstream_cluster", "app"),
        ("upstream_local_address", "127.0.0.1:40000"),
        ("downstream_local_address", "[2001:db8::1]:8080"),
        ("downstream_remote_address", "192.0.2.1:50000"),
        ("requested_server_name", None),
        ("route_name", "all"),
    ]


def test_tls_is_told_of_where_there_is_some() -> None:
    texts = NAMES | {"server_name": b"shop", "downstream_tls_version": b"TLSv1.3", "upstream_identity": b"spiffe://a/b"}
    found = json.loads(line(config(), texts=texts))
    assert found["requested_server_name"] == "shop"
    assert list(found.items())[-2:] == [("downstream_tls_version", "TLSv1.3"), ("upstream_peer_identity", "spiffe://a/b")]


def test_the_default_text_is_envoys() -> None:
    assert line(config(format="text")) == (
        '[2026-09-21T14:13:20.123Z] "GET /a/b?c=d HTTP/1.1" 200 - 10 4611686018427387904 15 7 "192.0.2.9" '
        '"curl/8" "r-1" "shop.example:8080" "127.0.0.1:9001"'
    )


EXPECTED: dict[str, Any] = {
    "START_TIME": "2026-09-21T14:13:20.123Z",
    "PROTOCOL": "HTTP/1.1",
    "RESPONSE_CODE": 200,
    "RESPONSE_CODE_DETAILS": "connect_failed",
    "CONNECTION_TERMINATION_DETAILS": None,
    "RESPONSE_FLAGS": "-",
    "BYTES_RECEIVED": 10,
    "BYTES_SENT": 2**62,
    "DOWNSTREAM_HEADER_BYTES_RECEIVED": 120,
    "DOWNSTREAM_HEADER_BYTES_SENT": 77,
    "DURATION": 15,
    "REQUEST_DURATION": 1,
    "REQUEST_TX_DURATION": 3,
    "RESPONSE_DURATION": 10,
    "RESPONSE_TX_DURATION": 5,
    "CONNECTION_ID": 7,
    "LISTENER_NAME": "in",
    "ROUTE_NAME": "all",
    "VIRTUAL_HOST_NAME": "shop",
    "REQUESTED_SERVER_NAME": "sni",
    "UPSTREAM_HOST": "127.0.0.1:9001",
    "UPSTREAM_CLUSTER": "app",
    "UPSTREAM_LOCAL_ADDRESS": "127.0.0.1:40000",
    "UPSTREAM_LOCAL_ADDRESS_WITHOUT_PORT": "127.0.0.1",
    "UPSTREAM_LOCAL_PORT": 40000,
    "UPSTREAM_REQUEST_ATTEMPT_COUNT": 2,
    "UPSTREAM_CONNECT_TIME": 1,
    "UPSTREAM_SERVICE_TIME": 7,
    "UPSTREAM_TRANSPORT_FAILURE_REASON": "up failed",
    "DOWNSTREAM_REMOTE_ADDRESS": "192.0.2.1:50000",
    "DOWNSTREAM_REMOTE_ADDRESS_WITHOUT_PORT": "192.0.2.1",
    "DOWNSTREAM_REMOTE_PORT": 50000,
    "DOWNSTREAM_LOCAL_ADDRESS": "[2001:db8::1]:8080",
    "DOWNSTREAM_LOCAL_ADDRESS_WITHOUT_PORT": "2001:db8::1",
    "DOWNSTREAM_LOCAL_PORT": 8080,
    "DOWNSTREAM_TRANSPORT_FAILURE_REASON": "down failed",
    "DOWNSTREAM_TLS_VERSION": "TLSv1.3",
    "DOWNSTREAM_TLS_CIPHER": "AES",
    "DOWNSTREAM_PEER_URI_SAN": "spiffe://down",
    "UPSTREAM_TLS_VERSION": "TLSv1.2",
    "UPSTREAM_TLS_CIPHER": "CHACHA",
    "UPSTREAM_PEER_URI_SAN": "spiffe://up",
    "TRACE_ID": "4bf9",
    "SPAN_ID": "00f0",
    "TRACE_SAMPLED": "true",
    "HOSTNAME": socket.gethostname(),
}
EVERY_TEXT = NAMES | {
    "server_name": b"sni",
    "downstream_tls_version": b"TLSv1.3",
    "downstream_tls_cipher": b"AES",
    "downstream_identity": b"spiffe://down",
    "downstream_failure": b"down failed",
    "upstream_tls_version": b"TLSv1.2",
    "upstream_tls_cipher": b"CHACHA",
    "upstream_identity": b"spiffe://up",
    "upstream_failure": b"up failed",
    "trace_id": b"4bf9",
    "span_id": b"00f0",
    "trace_sampled": b"true",
}


@pytest.mark.parametrize("name", sorted(OPERATORS))
def test_every_operator(name: str) -> None:
    assert set(EVERY_TEXT) == set(TEXTS)
    assert value(f"%{name}%", texts=EVERY_TEXT) == EXPECTED[name]


FIELDS = {
    "%REQ(:METHOD)%": "GET",
    "%REQ(:path)%": "/a/b?c=d",
    "%REQ(:PATH):4%": "/a/b",
    "%REQ(X-ENVOY-ORIGINAL-PATH?:PATH)%": "/a/b?c=d",
    "%REQ(Host)%": "shop.example:8080",
    "%REQ(:AUTHORITY)%": "shop.example:8080",
    "%REQ(user-agent)%": "curl/8",
    "%REQ(x-request-id)%": "r-1",
    "%REQ(x-forwarded-for)%": "192.0.2.9",
    "%REQ(X-TEAM)%": "blue",
    "%REQ(X-TEAM):2%": "bl",
    "%REQ(X-MISSING)%": None,
    "%REQ(X-MISSING?X-ZONE)%": "eu",
    "%REQ(X-MISSING?USER-AGENT):3%": "cur",
    "%REQ(X-ZONE?X-TEAM)%": "eu",
    "%REQ(X-SERVED-BY)%": None,
    "%RESP(X-SERVED-BY)%": "node-3",
    "%RESP(X-TEAM)%": None,
    "%RESP(content-length)%": "5",
    "%RESP(:STATUS)%": 200,
    "%RESP(X-ENVOY-UPSTREAM-SERVICE-TIME)%": 7,
}


@pytest.mark.parametrize("operator", FIELDS)
def test_every_field(operator: str) -> None:
    assert value(operator) == FIELDS[operator]


def test_many_fields_at_once() -> None:
    formats = {str(number): operator for number, operator in enumerate(FIELDS)}
    assert list(json.loads(line(config(json_format=formats))).values()) == list(FIELDS.values())


def test_fields_of_every_length() -> None:
    names = [f"X-{'N' * size}" for size in range(1, 100, 4)]
    head = b"GET / HTTP/1.1\r\nHost: a\r\n" + b"".join(f"{name}: {name[2:]}\r\n".encode() for name in names) + b"\r\n"
    found = json.loads(line(config(json_format={name: f"%REQ({name})%" for name in names}), head))
    assert found == {name: name[2:] for name in names}


def test_what_is_not_known() -> None:
    settings = config()
    log = log_for(settings)
    log.write_without_capture()
    record = json.loads(log.collect(access_format(settings)))
    known = {key: found for key, found in record.items() if found is not None}
    assert known == {
        "start_time": "1970-01-01T00:00:00.000Z", "response_code": 0, "response_flags": "-", "bytes_received": 0,
        "bytes_sent": 0, "duration": 0,
    }


@pytest.mark.parametrize(
    ("numbers", "time_ms"),
    [
        ({"upstream_sent_us": 0, "upstream_sent_end_us": 0}, None),
        ({"responded_us": 0}, None),
        ({"upstream_sent_end_us": 0}, 8),
        ({"upstream_sent_end_us": 1_011_000}, 8),  # answered before the request's end
    ],
)
def test_times_that_were_not_reached(numbers: dict[str, int], time_ms: int | None) -> None:
    assert value("%UPSTREAM_SERVICE_TIME%", **numbers) == time_ms


def test_reasons() -> None:
    refused = os.strerror(errno.ECONNREFUSED)
    assert value("%UPSTREAM_TRANSPORT_FAILURE_REASON%", error=errno.ECONNREFUSED) == refused
    assert value("%RESPONSE_CODE_DETAILS%", codec_error=-2) == "http1.bare_cr"
    assert value("%RESPONSE_CODE_DETAILS%", detail=0) == "via_upstream"
    assert value("%RESPONSE_CODE_DETAILS%", detail=0, responded_us=0) is None
    assert value("%CONNECTION_TERMINATION_DETAILS%", termination=1) == DETAIL_TEXTS[1]
    assert value("%RESPONSE_FLAGS%", flags=0b11) == f"{FLAG_NAMES[0]},{FLAG_NAMES[1]}"


def test_an_id_that_the_proxy_made() -> None:
    settings = config()
    log = log_for(settings)
    log.write(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n", request_id=b"made-here", **NUMBERS)
    assert json.loads(log.collect(access_format(settings)))["request_id"] == "made-here"


def test_literals_and_percent_signs() -> None:
    text = 'é "100%%" \\ %RESPONSE_CODE%%%'
    assert line(config(format="text", text_format=text)) == 'é "100%" \\ 200%'
    assert json.loads(line(config(json_format={'ké"y': text}))) == {'ké"y': 'é "100%" \\ 200%'}
    assert json.loads(line(config(json_format={"only": "text", "more": "%%"}))) == {"only": "text", "more": "%"}


def test_connections_go_to_the_same_log() -> None:
    settings = config(format="text", text_format="%LISTENER_NAME% %REQ(:PATH)% %RESPONSE_CODE% %DURATION% %PROTOCOL%")
    ring = AccessRing()
    ring.write(listener=b"tcp", duration_us=5_000)
    assert ring.collect(access_format(settings)) == b"tcp - 0 5 -\n"


# --- hostile texts ---

# Whatever a field's value may hold (RFC 9110, section 5.5): no control characters but tab.
VALUES = st.binary(min_size=1, max_size=200).map(lambda text: re.sub(rb"[\x00-\x08\x0a-\x1f\x7f]", b"", text).strip())


@settings(deadline=None, max_examples=200)
@given(VALUES)
def test_any_value_is_json(found: bytes) -> None:
    head = b"GET / HTTP/1.1\r\nHost: a\r\nUser-Agent: " + found + b"\r\nX-Team: " + found + b"\r\n\r\n"
    settings = config(json_format={"a": "%REQ(USER-AGENT)%", "b": "-%REQ(X-TEAM)%-"})
    record = json.loads(line(settings, head))
    try:
        expected = found.decode()
    except UnicodeDecodeError:
        # At least what is ASCII comes through.
        expected = None
    if expected is not None:
        assert record == {"a": expected or None, "b": f"-{expected or '-'}-"}
    ascii_only = bytes(byte for byte in found if byte < 0x80)
    assert "".join(char for char in record["a"] or "" if char < "\x80") == ascii_only.decode()


@settings(deadline=None, max_examples=100)
@given(VALUES)
def test_no_value_leaves_its_place_in_a_text(found: bytes) -> None:
    head = b"GET / HTTP/1.1\r\nHost: a\r\nUser-Agent: " + found + b"\r\n\r\n"
    text = line(config(format="text", text_format='"%REQ(USER-AGENT)%"'), head)
    assert re.fullmatch(r'"([ -~]*)"', text) and '"' not in text[1:-1]
    restored = re.sub(rb"\\x([0-9a-f]{2})", lambda match: bytes([int(match[1], 16)]), text[1:-1].encode())
    assert restored == (found or b"-")


@pytest.mark.parametrize(
    ("given_", "told"),
    [
        (b"\xff", "\xff"), (b"\xc3\xa9", "é"), (b"\xc0\xaf", "\xc0\xaf"), (b"\xed\xa0\x80", "\xed\xa0\x80"),
        (b"\xf0\x9f\x98\x80", "\U0001f600"), (b"\xf4\x90\x80\x80", "\xf4\x90\x80\x80"), (b"abc\xe2\x82", "abc\xe2\x82"),
        (b"\xe0\x80\x80", "\xe0\x80\x80"), (b"\xf0\x80\x80\x80", "\xf0\x80\x80\x80"), (b"\xe2\x82\xac", "€"),
        (b'12345678"\\', '12345678"\\'), (b"1234567\t9", "1234567\t9"),
    ],
)
def test_what_is_no_utf8_is_latin1(given_: bytes, told: str) -> None:
    texts = NAMES | {"upstream_failure": given_}
    assert json.loads(line(config(), texts=texts))["upstream_transport_failure_reason"] == told


# --- bounds ---

def test_a_capture_is_of_two_kib() -> None:
    assert CAPTURE_SIZE == 2048


def test_long_texts_are_cut() -> None:
    head = (
        b"GET /" + b"p" * 3000 + b" HTTP/1.1\r\nHost: " + b"h" * 200 + b"\r\nUser-Agent: " + b"u" * 300
        + b"\r\nX-Request-Id: " + b"r" * 300 + b"\r\nX-Forwarded-For: " + b"f" * 300 + b"\r\n\r\n"
    )
    record = json.loads(line(config(), head))
    assert record["path"] == "/" + "p" * 1023
    assert record["authority"] == "h" * 200
    assert record["user_agent"] == "u" * 256
    assert record["request_id"] == "r" * 256
    # What finds no room is cut.
    assert record["x_forwarded_for"] == "f" * (CAPTURE_BYTES - 3 - 1024 - 200 - 256 - 256)


def test_values_are_kept_as_long_as_was_asked_for() -> None:
    head = b"GET / HTTP/1.1\r\nHost: a\r\nX-Long: " + b"x" * 999 + b"\r\n\r\n"
    formats = {"all": "%REQ(X-LONG)%", "some": "%REQ(X-LONG):9%"}
    assert json.loads(line(config(json_format=formats), head)) == {"all": "x" * 256, "some": "x" * 9}


def test_the_longest_line_fits() -> None:
    """Every byte of every text is escaped, in a line of as many operators as may be."""
    head = b"GET / HTTP/1.1\r\nHost: a\r\nUser-Agent: " + b'"' * 256 + b"\r\n\r\n"
    settings = config(format="text", text_format="%REQ(USER-AGENT)%" * 227)
    log = log_for(settings, capacity=1 << 21)
    for _ in range(200):
        assert log.write(head, **NUMBERS)
    parts = []
    line_format = access_format(settings)
    while part := log.collect(line_format):
        parts.append(part)
    assert len(parts) > 1
    assert b"".join(parts) == (b"\\x22" * 256 * 227 + b"\n") * 200


def test_a_full_ring_drops_and_counts() -> None:
    settings = config()
    log = log_for(settings, capacity=4096)
    written = 0
    while log.write(REQUEST, RESPONSE, texts=NAMES, **NUMBERS):
        written += 1
    assert log.dropped == 1 and 1 < written < 16
    assert not log.write(REQUEST, RESPONSE, texts=NAMES, **NUMBERS)
    assert log.collect(access_format(settings)).count(b"\n") == written
    assert log.dropped == 2
    assert log.write(REQUEST, RESPONSE, texts=NAMES, **NUMBERS)


def test_captures_are_kept_for_the_next_stream() -> None:
    log = log_for(config())
    assert log.take_and_give(10) == 10
    assert log.take_and_give(3) == 10
    assert log.take_and_give(1000) == 256


def test_a_capture_begins_empty() -> None:
    settings = config(json_format={"a": "%REQ(X-TEAM)%", "b": "%REQ(USER-AGENT)%", "c": "%RESP(X-SERVED-BY)%"})
    log = log_for(settings)
    log.write(REQUEST, RESPONSE, **NUMBERS)
    log.write(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n", b"HTTP/1.1 200 OK\r\n\r\n", **NUMBERS)
    first, second = map(json.loads, log.collect(access_format(settings)).splitlines())
    assert list(first.values()) == ["blue", "curl/8", "node-3"]
    assert list(second.values()) == [None] * 3


def test_a_log_that_asks_for_other_fields_meanwhile() -> None:
    """Records of streams that began before a reload are written by the format of now."""
    before, now = config(json_format={"t": "%REQ(X-TEAM)%", "z": "%REQ(X-ZONE)%"}), config(
        json_format={"z": "%REQ(X-ZONE)%", "s": "%RESP(X-SERVED-BY)%"}
    )
    log = log_for(before)
    log.write(REQUEST, RESPONSE, **NUMBERS)
    assert json.loads(log.collect(access_format(now))) == {"z": "eu", "s": None}


def test_without_memory_there_is_no_format() -> None:
    fail_allocations_after_for_test(0)
    with pytest.raises(MemoryError):
        access_format(AccessLog(path="x"))
