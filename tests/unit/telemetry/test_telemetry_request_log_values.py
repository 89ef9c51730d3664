"""Values of access records of requests: none leaves its place, and each is bounded."""

from __future__ import annotations

import json
import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from request_logs import NAMES, NUMBERS, config, line, log_for

from mesh_core._testing.request_log import CAPTURE_BYTES, CAPTURE_SIZE
from mesh_core.control.access_log_lines import access_format

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
