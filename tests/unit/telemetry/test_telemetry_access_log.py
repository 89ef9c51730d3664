"""Access records as JSON lines."""

from __future__ import annotations

import datetime
import errno
import json
import os
import socket
import struct
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mesh_core._testing.net import address_from_ip
from mesh_core._testing.telemetry import ACCESS_TEXT_LIMIT, DETAIL_TEXTS, FLAG_NAMES, AccessRing
from mesh_core.config import AccessLog
from mesh_core.control.access_log_lines import access_format

FORMAT = access_format(AccessLog(path="unused"))
UINT64 = st.integers(0, 2**63 - 1)
NAMES = st.text(st.characters(exclude_categories=["Cs"]), max_size=ACCESS_TEXT_LIMIT // 4)


def collect_all(ring: AccessRing) -> list[dict[str, Any]]:
    lines = b""
    while part := ring.collect(FORMAT):
        assert part.endswith(b"}\n")
        lines += part
    return [json.loads(line) for line in lines.splitlines()]


def one(**fields: Any) -> dict[str, Any]:
    ring = AccessRing()
    assert ring.write(**fields)
    (record,) = collect_all(ring)
    return record


def test_a_whole_record() -> None:
    record = one(
        connection_id=42,
        start_time_us=1_790_000_000_123_999,
        duration_us=5_999,
        connect_time_us=1_999,
        bytes_received=10,
        bytes_sent=2**62,
        flags=1 << FLAG_NAMES.index("UF"),
        detail=DETAIL_TEXTS.index("connect_failed"),
        error=errno.ECONNREFUSED,
        attempts=3,
        downstream_remote=address_from_ip("192.0.2.1", 50000),
        downstream_local=address_from_ip("::1", 8080),
        upstream_local=address_from_ip("127.0.0.1", 40000),
        listener=b"in",
        cluster=b"app",
        endpoint=b"127.0.0.1:9001",
    )
    assert list(record.items()) == [
        ("start_time", "2026-09-21T14:13:20.123Z"),
        ("connection_id", 42),
        ("duration", 5),
        ("bytes_received", 10),
        ("bytes_sent", 2**62),
        ("response_flags", "UF"),
        ("connection_termination_details", "connect_failed"),
        ("listener", "in"),
        ("downstream_remote_address", "192.0.2.1:50000"),
        ("downstream_local_address", "[::1]:8080"),
        ("upstream_cluster", "app"),
        ("upstream_host", "127.0.0.1:9001"),
        ("upstream_local_address", "127.0.0.1:40000"),
        ("upstream_request_attempt_count", 3),
        ("upstream_connect_time", 1),
        ("upstream_transport_failure_reason", os.strerror(errno.ECONNREFUSED)),
    ]


def test_what_is_not_known_is_null() -> None:
    record = one(listener=b"in", cluster=b"app")
    nulls = {key for key, value in record.items() if value is None}
    assert nulls == {
        "connection_termination_details",
        "downstream_remote_address",
        "downstream_local_address",
        "upstream_host",
        "upstream_local_address",
        "upstream_connect_time",
        "upstream_transport_failure_reason",
    }
    assert record["response_flags"] == "-"
    assert record["start_time"] == "1970-01-01T00:00:00.000Z"


@pytest.mark.parametrize("number", range(len(FLAG_NAMES)))
def test_every_flag(number: int) -> None:
    assert one(flags=1 << number)["response_flags"] == FLAG_NAMES[number]


def test_flags_together() -> None:
    assert one(flags=(1 << len(FLAG_NAMES)) - 1)["response_flags"] == ",".join(FLAG_NAMES)
    assert one(flags=0b1010)["response_flags"] == f"{FLAG_NAMES[1]},{FLAG_NAMES[3]}"


def test_flag_names_are_envoys() -> None:
    assert FLAG_NAMES == [
        "UH", "UF", "UC", "DC", "SI", "DT", "OM", "DPE", "NR", "UO", "URX", "UR", "LR", "UT", "UPE", "NC",
        "DI", "FI", "RL",
    ]  # fmt: skip


@pytest.mark.parametrize("number", range(len(DETAIL_TEXTS)))
def test_every_detail(number: int) -> None:
    assert one(detail=number)["connection_termination_details"] == (DETAIL_TEXTS[number] or None)


def test_details_are_distinct_words() -> None:
    assert DETAIL_TEXTS[0] == ""
    assert len(set(DETAIL_TEXTS)) == len(DETAIL_TEXTS)
    assert all(text.replace("_", "").isalpha() and text.islower() for text in DETAIL_TEXTS[1:])


def test_every_character_of_a_name_survives() -> None:
    """Names come from the configuration, which is UTF-8: what is not a control character passes as it is."""
    everything = "".join(map(chr, (*range(0x180), 0x2028, 0x20AC, 0xFFFD, 0x1F600)))
    for start in range(0, len(everything), ACCESS_TEXT_LIMIT // 4):
        part = everything[start : start + ACCESS_TEXT_LIMIT // 4]
        assert one(listener=part.encode())["listener"] == part


def test_the_longest_record_fits() -> None:
    longest = b"\x00" * ACCESS_TEXT_LIMIT
    address = address_from_ip("ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", 65535)
    record = one(
        connection_id=2**63 - 1, start_time_us=253_402_300_799_999_999, duration_us=2**63 - 1,
        connect_time_us=2**63 - 1, bytes_received=2**63 - 1, bytes_sent=2**63 - 1, flags=0xFF, detail=13, error=131,
        downstream_remote=address, downstream_local=address, upstream_local=address,
        listener=longest, cluster=longest, endpoint=longest,
    )
    assert record["upstream_host"] == "\0" * ACCESS_TEXT_LIMIT
    assert record["start_time"] == "9999-12-31T23:59:59.999Z"


def test_a_unix_peer_has_no_name() -> None:
    assert one(downstream_remote=struct.pack("=H", socket.AF_UNIX))["downstream_remote_address"] == "unix:"


@settings(deadline=None, max_examples=100)
@given(st.lists(st.tuples(*[NAMES] * 3, UINT64, UINT64), max_size=8))
def test_names_stay_apart(records: list[tuple[str, str, str, int, int]]) -> None:
    ring = AccessRing()
    for listener, cluster, endpoint, received, sent in records:
        names = {"listener": listener.encode(), "cluster": cluster.encode(), "endpoint": endpoint.encode()}
        assert ring.write(**names, bytes_received=received, bytes_sent=sent)
    found = [
        (line["listener"], line["upstream_cluster"], line["upstream_host"], line["bytes_received"], line["bytes_sent"])
        for line in collect_all(ring)
    ]
    expected = [(*(name or None for name in names), received, sent) for *names, received, sent in records]
    assert found == expected


@settings(deadline=None)
@given(st.datetimes(datetime.datetime(1970, 1, 1), datetime.datetime(9999, 12, 31, 23, 59, 59)))
def test_any_time(moment: datetime.datetime) -> None:
    since = moment.replace(tzinfo=datetime.UTC) - datetime.datetime.fromtimestamp(0, datetime.UTC)
    record = one(start_time_us=since // datetime.timedelta(microseconds=1))
    assert record["start_time"] == moment.isoformat(timespec="milliseconds") + "Z"


def test_many_records_come_in_parts() -> None:
    ring = AccessRing(1 << 21)
    for number in range(3000):
        assert ring.write(connection_id=number, listener=b"\0" * ACCESS_TEXT_LIMIT)
    first = ring.collect(FORMAT)
    assert 200_000 < len(first) < 300_000
    records = [json.loads(line) for line in first.splitlines()] + collect_all(ring)
    assert [each["connection_id"] for each in records] == list(range(3000))
    assert ring.collect(FORMAT) == b""
