"""A request of which everything is known, and the access records that are made of it."""

from __future__ import annotations

import json
from typing import Any

from mesh_core._testing.net import address_from_ip
from mesh_core._testing.request_log import RequestLog
from mesh_core._testing.telemetry import DETAIL_TEXTS
from mesh_core.config import AccessLog, load_builtins
from mesh_core.control.access_log_lines import access_format
from mesh_core.control.compiler import Compiler
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


def config(**access_log: Any) -> AccessLog:
    """The settings of an access log."""
    loaded = load_builtins({"access_log": {"path": "/dev/stdout", **access_log}})
    assert loaded.access_log is not None
    return loaded.access_log


def log_for(settings: AccessLog, **arguments: Any) -> RequestLog:
    """A ring and a pool of captures, by these settings."""
    snapshot = Compiler(1, StatsRegistry(1)).compile(load_builtins({"access_log": _builtins(settings)}), {}, {})
    return RequestLog(snapshot, **arguments)


def _builtins(log: AccessLog) -> dict[str, Any]:
    fields = {"path": log.path, "format": log.format, "json_format": log.json_format, "text_format": log.text_format}
    return {key: value for key, value in fields.items() if value is not None}


def line(settings: AccessLog, request: bytes = REQUEST, response: bytes = RESPONSE, **numbers: Any) -> str:
    """The line of a request with these heads and numbers."""
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
