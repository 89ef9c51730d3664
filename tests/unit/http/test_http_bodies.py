"""Bodies on their way: wherever they are cut, the same content goes on, and what does not belong to them stays."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mesh_core._testing.http1 import Chunks, Refused
from mesh_core._testing.http_body import Body

CUTS = st.lists(st.integers(0, 400), max_size=12)
WAYS = [
    ("length", "length"), ("length", "chunked"), ("until_close", "until_close"), ("until_close", "chunked"),
    ("chunked", "chunked"), ("chunked", "until_close"),
]  # fmt: skip


def pieces(data: bytes, cuts: list[int]) -> list[bytes]:
    places = [0, *sorted(min(cut, len(data)) for cut in cuts), len(data)]
    return [data[begin:end] for begin, end in pairwise(places)]


def in_chunks(content: bytes, cuts: list[int]) -> bytes:
    """The content as a peer may chunk it."""
    return b"".join(b"%x;by=us\r\n%s\r\n" % (len(piece), piece) for piece in pieces(content, cuts) if piece) + b"0\r\n"


def content_of(written: str, out: bytes) -> bytes:
    """What the next one reads, without the end."""
    if written != "chunked":
        return out
    chunks = Chunks()
    assert chunks.feed(out) == len(out), "more behind the last chunk"
    return chunks.body


def passed(body: Body, data: list[bytes]) -> bytes:
    """Feed until the body takes no more; what was left."""
    rest = list(data)
    while rest:
        piece = rest.pop(0)
        taken = body.feed(piece)
        if taken < len(piece):
            return piece[taken:] + b"".join(rest)
    return b""


@pytest.mark.parametrize("way", WAYS)
@given(content=st.binary(max_size=300), chunk_cuts=CUTS, cuts=CUTS, rest=st.binary(max_size=20))
def test_any_cut_gives_the_same(
    way: tuple[str, str], content: bytes, chunk_cuts: list[int], cuts: list[int], rest: bytes
) -> None:
    kind, written = way
    data = in_chunks(content, chunk_cuts) if kind == "chunked" else content
    if kind == "until_close":
        rest = b""
    body = Body(kind, written, len(content))
    assert passed(body, pieces(data + rest, cuts)) == rest
    assert content_of(written, body.out) == content
    assert body.content_bytes == len(content)
    assert body.in_trailers == (kind == "chunked")
    assert body.ended == (kind == "length")
    if kind == "until_close":
        assert body.source_ended()
        assert body.ended
    assert body.end() == (b"0\r\n\r\n" if written == "chunked" else b"")


@pytest.mark.parametrize(("kind", "written"), WAYS)
def test_every_single_cut(kind: str, written: str) -> None:
    data = b"5\r\nhello\r\n00a;x=\"y\"\r\n0123456789\r\n0\r\n" if kind == "chunked" else b"hello0123456789"
    for cut in range(len(data) + 1):
        body = Body(kind, written, 15)
        assert passed(body, [data[:cut], data[cut:]]) == b""
        assert content_of(written, body.out) == b"hello0123456789", cut


@pytest.mark.parametrize(("kind", "data"), [
    ("length", b"hell"), ("chunked", b"5\r\nhello\r\n"), ("chunked", b"5\r\nhe"),
])  # fmt: skip
def test_a_source_that_ends_early_has_cut_it(kind: str, data: bytes) -> None:
    body = Body(kind, "chunked", 5)
    body.feed(data)
    assert not body.source_ended()
    assert not body.ended


@pytest.mark.parametrize("kind", ["none", "length"])
def test_a_body_without_bytes_has_ended(kind: str) -> None:
    body = Body(kind, kind, 0)
    assert body.ended
    assert body.feed(b"GET") == 0
    assert body.out == b""


@given(content=st.binary(min_size=1, max_size=100), cuts=CUTS)
def test_what_came_before_a_fault_is_good(content: bytes, cuts: list[int]) -> None:
    """And the fault is told however the body was cut."""
    data = b"%x\r\n%s\r\n" % (len(content), content) + b"g\r\n"
    body = Body("chunked", "chunked")
    with pytest.raises(Refused, match="bad_chunk_size"):
        passed(body, pieces(data, cuts))
    assert content_of("chunked", body.out) == content


@pytest.mark.parametrize("written", ["chunked", "until_close"])
def test_chunk_lines_are_bounded(written: str) -> None:
    body = Body("chunked", written, chunk_line_bytes=8)
    assert body.feed(b"1;234567\r\na") == 11
    with pytest.raises(Refused):
        body.feed(b"\r\n1;2345678\r\n")
