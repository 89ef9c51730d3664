"""Fields that are added as a head is written."""

from __future__ import annotations

from typing import Any

import pytest
from http1_messages import parse
from hypothesis import given, settings
from hypothesis import strategies as st

from mesh_core._testing.http1 import Refused
from tests.support.http_messages import request, response

Fields = list[tuple[bytes, bytes]]


def written(kind: str, data: bytes, **edits: Any) -> bytes:
    head = parse(kind, data)
    head.judge()
    out: bytes = head.write(**edits)
    return out


def test_what_is_added_comes_last() -> None:
    out = written("request", request(b"a: 1"), added=[(b"A", b"2"), (b"z", b"")], connection="close")
    assert out == request(b"a: 1", b"A: 2", b"z: ", b"Connection: close")


def test_what_ended_here_has_no_place_for_what_is_added() -> None:
    fields = (b"Connection: x", b"x: 0", b"a: b")
    assert written("request", request(*fields), added=[(b"X", b"1")]) == request(b"a: b", b"X: 1")


def test_framing_is_not_touched() -> None:
    for name in (b"Host", b"content-length", b"Transfer-Encoding", b"CONNECTION", b"Upgrade", b"expect", b"", b"a b",
                 b"a\r\nb", b"a:"):  # fmt: skip
        for kind, data in (("request", request()), ("response", response())):
            with pytest.raises(Refused, match="output_field"):
                written(kind, data, added=[(b"a", b"b"), (name, b"5")])


@pytest.mark.parametrize("value", [b"a\r\nb: c", b"a\nb", b"a\rb", b"\0", b"\x7f", b" a", b"a ", b"\t", b"a\x01b"])
def test_values_that_cannot_be_added(value: bytes) -> None:
    with pytest.raises(Refused, match="output_field"):
        written("request", request(), added=[(b"x", value)])


NAMES = st.sampled_from([b"a", b"A", b"b", b"ab", b"Ab", b"x-y_z", b"X-Request-Id", b"x-request-id"])
PAIRS = st.lists(st.tuples(NAMES, st.sampled_from([b"", b"1", b"2  3", b"\xff"])), max_size=6)


@settings(deadline=None, max_examples=300)
@given(PAIRS, PAIRS, st.sampled_from([b": ", b":", b":\t "]))
def test_what_is_there_stays(received: Fields, added: Fields, colon: bytes) -> None:
    out = written("request", request(*(name + colon + value for name, value in received)), added=added)
    assert out == request(*(name + b": " + value for name, value in received + added))
