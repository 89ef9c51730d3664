"""SPIFFE IDs: cases of the standard, and a regular expression as a second opinion."""

from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mesh_core._testing.tls_codecs import spiffe_id_parse

PATTERN = re.compile(rb"spiffe://([a-z0-9._-]{1,255})((?:/(?!\.{1,2}(?:/|\Z))[A-Za-z0-9._-]+)*)", re.DOTALL)


def judge(text: bytes) -> bytes | None:
    found = PATTERN.fullmatch(text) if len(text) <= 2048 else None
    return found[1] if found else None


@pytest.mark.parametrize(("text", "trust_domain"), [
    (b"spiffe://mesh.local/ns/shop/sa/cart", b"mesh.local"),
    (b"spiffe://a", b"a"),
    (b"spiffe://1.2.3.4/x", b"1.2.3.4"),
    (b"spiffe://.-_/A.z-_9/...", b".-_"),
    (b"spiffe://" + b"a" * 255 + b"/x", b"a" * 255),
    (b"spiffe://a/" + b"x" * 2037, b"a"),
    (b"spiffe://a/..x/.y/z.", b"a"),
])  # fmt: skip
def test_accepted(text: bytes, trust_domain: bytes) -> None:
    assert spiffe_id_parse(text) == judge(text) == trust_domain


@pytest.mark.parametrize("text", [
    b"", b"spiffe:", b"spiffe://", b"spiffe:///x", b"SPIFFE://a", b"spiffe:/a", b"https://a/x", b"spiffe://A/x",
    b"spiffe://a/", b"spiffe://a//x", b"spiffe://a/x/", b"spiffe://a/.", b"spiffe://a/..", b"spiffe://a/./x",
    b"spiffe://a/x/../y", b"spiffe://a:80/x", b"spiffe://u@a/x", b"spiffe://a?q", b"spiffe://a/x?q", b"spiffe://a/x#f",
    b"spiffe://a/%41", b"spiffe://a/x y", b"spiffe://a/x\0", b"spiffe://a\0/x", b"spiffe://\xc3\xa9/x",
    b"spiffe://a/\xc3\xa9", b"spiffe://a/x\n", b"spiffe://a\n", b"spiffe://a/~", b"spiffe://[::1]/x",
    b"spiffe://" + b"a" * 256, b"spiffe://a/" + b"x" * 2038,
])  # fmt: skip
def test_refused(text: bytes) -> None:
    assert spiffe_id_parse(text) is None
    assert judge(text) is None


WORDS = [b"/", b".", b"..", b"a", b"Z", b"-", b"_", b"0", b":", b"@", b"\0", b"?", b"/x"]
PARTS = st.lists(st.sampled_from(WORDS), max_size=9)


@settings(deadline=None, max_examples=500)
@given(st.one_of(PARTS.map(b"".join), st.binary(max_size=20)))
def test_any_text(tail: bytes) -> None:
    text = b"spiffe://" + tail
    assert spiffe_id_parse(text) == judge(text)
    assert spiffe_id_parse(tail) == judge(tail)
