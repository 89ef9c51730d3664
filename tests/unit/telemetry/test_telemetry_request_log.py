"""Access records of requests: the lines that are made of what is known."""

from __future__ import annotations

import errno
import json
import os
import socket
from typing import Any

import pytest
from request_logs import NAMES, NUMBERS, config, line, log_for, value

from mesh_core._testing.request_log import TEXTS
from mesh_core._testing.telemetry import DETAIL_TEXTS, FLAG_NAMES, AccessRing
from mesh_core.config.access_log_format import OPERATORS
from mesh_core.control.access_log_lines import access_format


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
