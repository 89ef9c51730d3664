"""Bytes of a peer that wait: heads that come in pieces, and what stands behind them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mesh_core._testing.http1 import Refused
from mesh_core._testing.http_body import Input

HEADS = {
    "request": b"GET /a HTTP/1.1\r\nHost: a\r\nX-One: 1\r\n\r\n",
    "response": b"HTTP/1.1 200 OK\r\nServer: s\r\nX-One: 1\r\n\r\n",
    "trailers": b"X-Sum: 1\r\nX-One: 1\r\n\r\n",
}
KINDS = sorted(HEADS)


@pytest.mark.parametrize("kind", KINDS)
def test_every_single_cut(kind: str) -> None:
    """The same head, the same rest, wherever it is cut; what is incomplete is kept whole."""
    data = HEADS[kind] + b"behind"
    for cut in range(len(data) + 1):
        waiting = Input()
        found = waiting.head(kind, data[:cut])
        if found is None:
            assert cut < len(HEADS[kind])
            assert waiting.kept == data[:cut]
            found = waiting.head(kind, data[cut:])
            assert waiting.kept == b"behind"
        else:
            assert waiting.kept == data[len(HEADS[kind]) : cut]
        assert found is not None
        text, fields = found
        assert text == HEADS[kind]
        assert fields[-1] == (b"X-One", b"1")
        assert len(fields) == 2


@given(
    kinds=st.lists(st.sampled_from(KINDS), min_size=1, max_size=6),
    sizes=st.lists(st.integers(1, 60), min_size=1, max_size=60),
    padding=st.integers(0, 3000),
)
def test_one_head_after_the_other(kinds: list[str], sizes: list[int], padding: int) -> None:
    """Heads of any kind, also larger than the first block of memory, out of one stream in any pieces."""
    stream = b""
    for number, kind in enumerate(kinds):
        line, _, more = HEADS[kind].partition(b"\r\n")
        stream += b"%s\r\nX-Padding: %s%d\r\n%s" % (line, b"p" * padding, number, more)
    waiting, found = Input(), []
    step = 0
    while len(found) < len(kinds):
        # What waits is parsed first; only when that is not a whole head, more is received.
        size = 0 if waiting.kept and not step else sizes[step % len(sizes)] * (1 + padding // 100)
        taken, stream = stream[:size], stream[size:]
        head = waiting.head(kinds[len(found)], taken)
        step = 0 if head is not None else step + 1
        if head is not None:
            found.append(head)
    assert waiting.kept + stream == b""
    for number, (_, fields) in enumerate(found):
        (padded,) = (value for name, value in fields if name == b"X-Padding")
        assert padded == b"p" * padding + b"%d" % number


@given(parts=st.lists(st.binary(max_size=1500), max_size=12), drops=st.lists(st.integers(0, 2000), max_size=12))
def test_it_is_a_queue(parts: list[bytes], drops: list[int]) -> None:
    """Bytes are put behind and taken from the front; it holds no memory while it holds no bytes."""
    waiting, model = Input(), b""
    for number, part in enumerate(parts):
        waiting.keep(part)
        model += part
        if number < len(drops) and model:
            size = min(drops[number], len(model))
            waiting.drop(size)
            model = model[size:]
        assert waiting.kept == model
    if model:
        waiting.drop(len(model))
        assert not waiting.has_memory
    waiting.clear()
    assert not waiting.has_memory


def test_a_fault_is_told_in_whatever_piece() -> None:
    data = b"GET /a HTTP/1.1\r\nHost : a\r\n\r\n"
    for cut in range(len(data) + 1):
        waiting = Input()
        with pytest.raises(Refused):
            if waiting.head("request", data[:cut]) is None:
                waiting.head("request", data[cut:])


def test_what_waits_is_bounded_by_the_head() -> None:
    """A head that never ends is refused before it takes more than its limit and what comes in one receive."""
    waiting = Input()
    waiting.head("request", b"GET / HTTP/1.1\r\nHost: a\r\n")
    with pytest.raises(Refused):
        for _ in range(100):
            assert waiting.head("request", b"X-More: %s\r\n" % (b"a" * 1000)) is None
    assert len(waiting.kept) < 64_000
