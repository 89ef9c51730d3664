"""The ring that access records of requests go through, and the captures that they take from a pool."""

from __future__ import annotations

import json

import pytest
from request_logs import NAMES, NUMBERS, REQUEST, RESPONSE, config, log_for

from mesh_core.config import AccessLog
from mesh_core.control.access_log_lines import access_format
from mesh_core.runtime.memory import fail_allocations_after_for_test


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
