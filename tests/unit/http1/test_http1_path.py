"""Paths: the RFC's own examples, Envoy's options, and what is refused."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mesh_core._testing.http1 import Refused, normalize_path


@pytest.mark.parametrize(("path", "expected"), [
    (b"/", b"/"), (b"/a/b/c/./../../g", b"/a/g"), (b"/b/c/d;p/../g;x=1/./y", b"/b/c/g;x=1/y"), (b"/.", b"/"),
    (b"/..", b"/"), (b"/../", b"/"), (b"/../a", b"/a"), (b"/../../a/..", b"/"), (b"/a/.", b"/a/"), (b"/a/..", b"/"),
    (b"/a/b/..", b"/a/"), (b"/a/b/../", b"/a/"), (b"/a/./b", b"/a/b"), (b"/...", b"/..."), (b"/.../..", b"/"),
    (b"/a/.b/..c/d.", b"/a/.b/..c/d."), (b"//a//..//b", b"//a//b"), (b"/a//..", b"/a/"), (b"/..//a", b"//a"),
    (b"/%2e", b"/"), (b"/a/%2E%2e/b", b"/b"), (b"/a/.%2e", b"/"), (b"/%61%5A%30%2d%2E%5f%7e", b"/aZ0-._~"),
    (b"/%c3%A9%2f%3a", b"/%C3%A9%2F%3A"), (b"/%252e%252e/a", b"/%252e%252e/a"), (b"/a%20b", b"/a%20b"), (b"", b""),
    (b"*", b"*"), (b"/..;/a", b"/..;/a"), (b"/a/%2e%2e%2fb", b"/a/..%2Fb"), (b"/%0d%0a", b"/%0D%0A"),
])  # fmt: skip
def test_normalized(path: bytes, expected: bytes) -> None:
    assert normalize_path(path) == ("same" if path == expected else "changed", expected)


@pytest.mark.parametrize("path", [b"/%", b"/%4", b"/%zz", b"/%4g", b"/%g4", b"/a%", b"/%%41", b"/% 41",
                                  b"/%-1", b"%", b"/%u0041"])
def test_bad_escapes(path: bytes) -> None:
    for normalize in (True, False):
        with pytest.raises(Refused, match="bad_escape"):
            normalize_path(path, normalize)


@pytest.mark.parametrize("path", [b"/%00", b"/a%00.png", b"/%2e%00"])
def test_nul(path: bytes) -> None:
    for normalize in (True, False):
        with pytest.raises(Refused, match="escaped_nul"):
            normalize_path(path, normalize)


def test_off() -> None:
    for path in (b"/a/../b//c/%2e%61%2f", b"/./.."):
        assert normalize_path(path, False) == ("same", path)


def test_merged_slashes() -> None:
    assert normalize_path(b"//a///b/c//", True, True) == ("changed", b"/a/b/c/")
    assert normalize_path(b"///", False, True) == ("changed", b"/")
    assert normalize_path(b"/a/b", True, True) == ("same", b"/a/b")
    # Dot segments go first, as with Envoy: of "/a//" one empty segment goes.
    assert normalize_path(b"/a//../b", True, True) == ("changed", b"/a/b")
    assert normalize_path(b"/..//..//a", True, True) == ("changed", b"/a")


@pytest.mark.parametrize("slash", [b"%2f", b"%2F", b"%5c", b"%5C"])
def test_escaped_slashes(slash: bytes) -> None:
    path = b"/a" + slash + b"b"
    kept = b"/a" + slash.upper() + b"b"
    assert normalize_path(path) == ("same" if path == kept else "changed", kept)
    assert normalize_path(path, normalize=False) == ("same", path)
    with pytest.raises(Refused, match="escaped_slash"):
        normalize_path(path, escaped_slashes="refuse")
    assert normalize_path(path, escaped_slashes="decode") == ("changed", b"/a/b")
    assert normalize_path(path, normalize=False, escaped_slashes="decode") == ("changed", b"/a/b")
    assert normalize_path(path, escaped_slashes="redirect") == ("redirect", b"/a/b")
    climbing = b"/a/b/.." + slash + b"..%2e/../%2e" + slash + b"c"
    assert normalize_path(climbing, escaped_slashes="redirect") == ("redirect", b"/a/c")
    assert normalize_path(b"/a" + slash + b"/b", True, True, "decode") == ("changed", b"/a/b")


def test_without_escaped_slashes_there_is_no_redirect() -> None:
    assert normalize_path(b"/a/./b%252f", escaped_slashes="redirect") == ("changed", b"/a/b%252f")
    assert normalize_path(b"/a", escaped_slashes="refuse") == ("same", b"/a")


def by_the_rfc(path: bytes) -> bytes:
    """RFC 3986, section 5.2.4, word for word."""
    out = b""
    while path:
        if path.startswith((b"../", b"./")):
            path = path[path.index(b"/") + 1 :]
        elif path.startswith(b"/./") or path == b"/.":
            path = b"/" + path[3:]
        elif path.startswith(b"/../") or path == b"/..":
            path = b"/" + path[4:]
            out = out[: out.rindex(b"/")] if b"/" in out else b""
        elif path in (b".", b".."):
            path = b""
        else:
            end = path.find(b"/", 1)
            end = len(path) if end < 0 else end
            out, path = out + path[:end], path[end:]
    return out


SEGMENTS = st.sampled_from([b"/", b"/.", b"/..", b"/a", b"/...", b".", b"..", b"b", b"/.a", b"/;", b"//"])


@settings(deadline=None, max_examples=600)
@given(st.lists(SEGMENTS, max_size=10))
def test_dot_segments_go_as_the_rfc_says(parts: list[bytes]) -> None:
    path = b"/" + b"".join(parts)
    assert normalize_path(path)[1] == by_the_rfc(path)


TEXTS = st.lists(st.sampled_from([b"/", b".", b"%2e", b"%2f", b"%5C", b"%25", b"a", b"%61", b"%c3", b"//", b"/.."]))


@settings(deadline=None, max_examples=600)
@given(TEXTS, st.booleans(), st.booleans(), st.sampled_from(["keep", "redirect", "decode"]))
def test_twice_is_once(parts: list[bytes], normalize: bool, merge: bool, slashes: str) -> None:
    once = normalize_path(b"/" + b"".join(parts), normalize, merge, slashes)[1]
    assert normalize_path(once, normalize, merge, slashes) == ("same", once)
    if normalize:
        assert not {b".", b".."} & set(once.split(b"/"))
        assert b"%2e" not in once
    if merge:
        assert b"//" not in once
