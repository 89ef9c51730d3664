"""Cookies in requests, also hostile ones."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from routed import request

from mesh_core._testing.route_actions import find_cookie


@pytest.mark.parametrize(
    ("field", "wanted"),
    [
        (b"a=1", b"1"),
        (b"b=2; a=1", b"1"),
        (b"b=2;a=1;c=3", b"1"),
        (b"\t b=2 ;\t a \t=\t 1 \t; c=3", b"1"),
        (b"a=", b""),
        (b"a=;a=2", b""),
        (b"a=1;a=2", b"1"),
        (b'a="1"', b"1"),
        (b'a=""', b""),
        (b'a="', b'"'),
        (b'a="1', b'"1'),
        (b'a= "1;2" ', b'"1'),
        (b"a==1", b"=1"),
        (b"a=b=c", b"b=c"),
        (b";;; a=1", b"1"),
        (b"a\xff=1; a=\xff\x80", b"\xff\x80"),
        (b"a=1, b=2", b"1, b=2"),
        (b"a", None),
        (b"a;b=1", None),
        (b"A=1", None),
        (b"aa=1", None),
        (b"xa=1", None),
        (b"b=a=1", None),
        (b'b="; a=1', b"1"),
        (b"=a=1", None),
        (b"a b=1", None),
        (b"", None),
        (b";", None),
    ],
)
def test_values(field: bytes, wanted: bytes | None) -> None:
    assert find_cookie(field, b"a") == wanted


def test_the_first_of_several_fields() -> None:
    asked = request("/", "Cookie: b=1", "COOKIE: a=2; b=3", "cookie: a=4", "cookies: c=5", "x-cookie: c=6")
    assert [asked.cookie(name) for name in (b"a", b"b", b"c")] == [b"2", b"1", None]


def test_a_cookie_of_many_pairs_takes_one_pass() -> None:
    pairs = b";".join([b"aa=1"] * 12_000)
    assert find_cookie(pairs, b"a") is None
    assert find_cookie(pairs + b"; a=1", b"a") == b"1"
    assert find_cookie(b"=" * 60_000, b"a") is None
    assert find_cookie(b" " * 60_000, b"a") is None


def modelled(field: bytes, name: bytes) -> bytes | None:
    for pair in field.split(b";"):
        key, equals, value = pair.partition(b"=")
        if equals and key.strip(b" \t") == name:
            value = value.strip(b" \t")
            return value[1:-1] if len(value) >= 2 and value[:1] == value[-1:] == b'"' else value
    return None


@given(st.lists(st.sampled_from([b"a", b"b", b"aa", b"=", b";", b" ", b"\t", b'"', b"\xff", b"a=1"]), max_size=12))
def test_against_a_model(parts: list[bytes]) -> None:
    field = b"".join(parts)
    for name in (b"a", b"aa", b"b"):
        assert find_cookie(field, name) == modelled(field, name)


@given(st.binary(max_size=60))
def test_any_bytes(field: bytes) -> None:
    assert find_cookie(field, b"a") == modelled(field, b"a")
