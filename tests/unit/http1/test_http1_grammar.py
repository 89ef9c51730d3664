"""Character classes against the RFCs' own words, and the search for control characters."""

from __future__ import annotations

import string

import pytest
from http1_messages import verdict
from hypothesis import given, settings
from hypothesis import strategies as st

from mesh_core._testing.http1 import authority_is_valid, character_class, find_control

ALPHANUMERIC = set((string.ascii_letters + string.digits).encode())
VISIBLE = set(range(0x21, 0x7F))


@pytest.mark.parametrize(("name", "expected"), [
    ("tchar", ALPHANUMERIC | set(b"!#$%&'*+-.^_`|~")),
    ("unreserved", ALPHANUMERIC | set(b"-._~")),
    ("control", (set(range(32)) | {127}) - {9}),
    ("path", VISIBLE - set(b'"#<>?\\')),
    ("query", VISIBLE - set(b'"#<>')),
])  # fmt: skip
def test_classes(name: str, expected: set[int]) -> None:
    assert character_class(name) == expected


def test_uris_characters_are_all_allowed() -> None:
    """RFC 3986: pchar and "/" in paths; "?" too in queries."""
    pchar = ALPHANUMERIC | set(b"-._~%!$&'()*+,;=:@/")
    assert pchar <= character_class("path")
    assert pchar | set(b"?") <= character_class("query")


@pytest.mark.parametrize("byte", range(256))
def test_every_byte_at_every_place(byte: int) -> None:
    is_control = byte in character_class("control")
    is_host, is_name = byte in character_class("unreserved"), byte in character_class("tchar")
    for size in (1, 7, 15, 16, 17, 31, 33, 36):
        for at in range(size):
            text = b"\xff" * at + bytes([byte]) + b"~" * (size - at - 1)
            assert find_control(text) == (at if is_control else size)
            text = b"z" * at + bytes([byte]) + b"-" * (size - at - 1)
            text = b"Z" * at + bytes([byte]) + b"-" * (size - at - 1)
            assert authority_is_valid(text) == is_host
            found = verdict("trailers", text + b": b\r\n\r\n" + b"x" * (size % 3 * 16))
            assert (found[1] == [(text, b"b")]) == is_name


EDGES = st.lists(st.sampled_from(b"a\t\x7f\x80\x1f \xff~\x00"), max_size=30).map(bytes)


@settings(deadline=None, max_examples=500)
@given(st.one_of(st.binary(max_size=40), EDGES), st.integers(0, 8))
def test_the_first_control_is_found(text: bytes, begin: int) -> None:
    begin = min(begin, len(text))
    controls = character_class("control")
    expected = next((at for at in range(begin, len(text)) if text[at] in controls), len(text))
    assert find_control(text, begin) == expected


def test_authorities_with_a_port() -> None:
    assert authority_is_valid(b"a:1", True)
    assert not authority_is_valid(b"a", True)
    assert not authority_is_valid(b"[::1]", True)
    assert authority_is_valid(b"[::1]:9", True)
    assert not authority_is_valid(b"[::1\0]")
    assert not authority_is_valid(b"a\0b")
