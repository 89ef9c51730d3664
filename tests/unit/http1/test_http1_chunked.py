"""Chunks: what comes out wherever the input is cut, everything that is refused, and what is written."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mesh_core._testing.http1 import Chunks, Refused, chunk_head


def decode(*pieces: bytes, **limits: int) -> tuple[bytes, int] | str:
    """Body and length of the chunks with their last line; an error's text; or "more: " and the body so far."""
    chunks = Chunks(**limits)
    try:
        for piece in pieces:
            chunks.feed(piece)
            if chunks.ended:
                return chunks.body, chunks.taken
    except Refused as refused:
        return str(refused.args[0])
    return f"more: {chunks.body!r}"


def every_cut(data: bytes, **limits: int) -> tuple[bytes, int] | str:
    whole = decode(data, **limits)
    for cut in range(len(data) + 1):
        assert decode(data[:cut], data[cut:], **limits) == whole, cut
    assert decode(*(data[at : at + 1] for at in range(len(data))), **limits) == whole
    return whole


@pytest.mark.parametrize(("data", "body"), [
    (b"0\r\n", b""), (b"000\r\n", b""), (b"5\r\nhello\r\n0\r\n", b"hello"),
    (b"00A\r\n0123456789\r\n0\r\n", b"0123456789"),
    (b"1\r\na\r\n1\r\nb\r\n0\r\n", b"ab"), (b"a\r\n0123456789\r\n0\r\n", b"0123456789"),
    (b"2\r\n\r\n\r\n0\r\n", b"\r\n"),
    (b"5;a\r\nhello\r\n0;b\r\n", b"hello"), (b"1;a=b;c=\"d e\";f\r\nx\r\n0\r\n", b"x"), (b'1;a=""\r\nx\r\n0\r\n', b"x"),
    (b'1;a="\\"\\\\\t\xff;=,"\r\nx\r\n0\r\n', b"x"), (b"1;!#$%&'*+-.^_`|~=!#$%&'*+-.^_`|~\r\nx\r\n0\r\n", b"x"),
])  # fmt: skip
def test_bodies(data: bytes, body: bytes) -> None:
    assert every_cut(data + b"A: trailer\r\n\r\nnext") == (body, len(data))
    for size in range(len(data)):
        assert str(decode(data[:size])).startswith("more: ")


BODY_END = b"x\r\n0\r\n"


@pytest.mark.parametrize(("data", "error"), [
    (b"\r\n", "bad_chunk_size"), (b";a\r\n", "bad_chunk_size"), (b" 1\r\n", "bad_chunk_size"),
    (b"1 \r\n", "bad_chunk_size"), (b"1\t\r\n", "bad_chunk_size"), (b"+1\r\n", "bad_chunk_size"),
    (b"-1\r\n", "bad_chunk_size"), (b"0x1\r\n", "bad_chunk_size"), (b"1h\r\n", "bad_chunk_size"),
    (b"g\r\n", "bad_chunk_size"), (b"1_0\r\n", "bad_chunk_size"), (b"1,1\r\n", "bad_chunk_size"),
    (b"\x001\r\n", "bad_chunk_size"), (b"1\x00\r\n", "bad_chunk_size"), (b'"1"\r\n', "bad_chunk_size"),
    (b"1.0\r\n", "bad_chunk_size"), (b"\xef\xbc\x91\r\n", "bad_chunk_size"), (b"@\r\n", "bad_chunk_size"),
    (b"`\r\n", "bad_chunk_size"), (b"G\r\n", "bad_chunk_size"), (b"/\r\n", "bad_chunk_size"),
    (b":\r\n", "bad_chunk_size"),
    (b"8000000000000000\r\n", "bad_chunk_size"), (b"ffffffffffffffff\r\n", "bad_chunk_size"),
    (b"10000000000000000\r\n", "bad_chunk_size"), (b"10000000000000001\r\n", "bad_chunk_size"),
    (b"fffffffffffffffffffff1\r\n", "bad_chunk_size"), (b"1 ;a\r\n", "bad_chunk_size"),
    (b"1\n", "bare_lf"), (b"\n", "bare_lf"), (b"1;a\n", "bare_lf"), (b"1;a=\n", "bare_lf"),
    (b'1;a="\n"\r\n', "bare_lf"),
    (b"1\rx", "bare_cr"), (b"1\r\r\n", "bare_cr"), (b"1;a\rb\r\n", "bare_cr"), (b"0\r0", "bare_cr"),
    (b"1;\r\n", "bad_chunk_extension"), (b"1;;\r\n", "bad_chunk_extension"), (b"1;a;\r\n", "bad_chunk_extension"),
    (b"1;a;;b\r\n", "bad_chunk_extension"), (b"1;=b\r\n", "bad_chunk_extension"), (b"1;a=\r\n", "bad_chunk_extension"),
    (b"1;a=;b\r\n", "bad_chunk_extension"), (b"1;a==b\r\n", "bad_chunk_extension"),
    (b"1; a\r\n", "bad_chunk_extension"),
    (b"1;a =b\r\n", "bad_chunk_extension"), (b"1;a= b\r\n", "bad_chunk_extension"),
    (b"1;a=b c\r\n", "bad_chunk_extension"),
    (b"1;a \r\n", "bad_chunk_extension"), (b"1;a=b \r\n", "bad_chunk_extension"),
    (b"1;a=b=c\r\n", "bad_chunk_extension"),
    (b'1;"a"\r\n', "bad_chunk_extension"), (b'1;a="b"c\r\n', "bad_chunk_extension"),
    (b'1;a=b"c"\r\n', "bad_chunk_extension"),
    (b'1;a="b"=c\r\n', "bad_chunk_extension"), (b'1;a="b" ;c\r\n', "bad_chunk_extension"),
    (b'1;a="b\x00"\r\n', "bad_chunk_extension"), (b'1;a="b\\\x01"\r\n', "bad_chunk_extension"),
    (b'1;a="b\r\n"\r\n', "bad_chunk_extension"), (b'1;a="b\x7f"\r\n', "bad_chunk_extension"),
    (b"1;a\x00\r\n", "bad_chunk_extension"), (b"1;a=\xff\r\n", "bad_chunk_extension"),
    (b"1;\x00\r\n", "bad_chunk_extension"),
    (b"1\r\nxy\r\n", "bad_chunk_end"), (b"1\r\nx\n", "bad_chunk_end"), (b"1\r\nx\r\r\n", "bad_chunk_end"),
    (b"1\r\nx0\r\n", "bad_chunk_end"), (b"1\r\nx \r\n", "bad_chunk_end"), (b"2\r\nx\r\n0\r\n", "bad_chunk_end"),
])  # fmt: skip
def test_refused(data: bytes, error: str) -> None:
    assert every_cut(data + BODY_END) == error
    if not data.startswith((b"1\r\n", b"2\r\n")):
        assert every_cut(b"3\r\nabc\r\n" + data + BODY_END) == error


def test_the_largest_chunk() -> None:
    assert every_cut(b"7fffffffffffffff\r\nabc") == "more: b'abc'"
    assert every_cut(b"00000000000000007FFFFFFFFFFFFFFF\r\nabc") == "more: b'abc'"


def test_an_error_stays() -> None:
    chunks = Chunks()
    for data in (b"x", b"0\r\n", b"1\r\na\r\n", b"\r"):
        with pytest.raises(Refused, match="bad_chunk_size"):
            chunks.feed(data)


def test_a_chunks_line_is_bounded() -> None:
    for line in (b"0" * 9 + b"1", b"1;aaaaaaaa", b'1;a="bbbb"'):
        assert every_cut(line + b"\r\n" + BODY_END, chunk_line_bytes=10) == (b"x", len(line) + 2 + len(BODY_END))
        assert every_cut(line + b"\r\n" + BODY_END, chunk_line_bytes=9) == "chunk_line_too_long"
    assert every_cut(b"0" * 50, chunk_line_bytes=20) == "chunk_line_too_long"


def test_extensions_of_a_body_are_bounded() -> None:
    data = b"1;abc\r\nx\r\n" * 5 + b"0\r\n"
    assert every_cut(data, chunk_extension_bytes=20) == (b"xxxxx", len(data))
    assert every_cut(data, chunk_extension_bytes=19) == "too_many_extensions"
    assert every_cut(b"1;a\r\n", chunk_extension_bytes=0) == "too_many_extensions"
    # Sizes do not count, however many chunks there are.
    assert decode(b"1\r\nx\r\n" * 1000 + b"0\r\n", chunk_extension_bytes=0) == (b"x" * 1000, 6003)


@pytest.mark.parametrize("size", [0, 1, 9, 10, 15, 16, 255, 256, 65535, 2**31, 2**32, 2**63 - 1])
def test_lines_that_are_written(size: int) -> None:
    line = chunk_head(size)
    assert line == b"%x\r\n" % size
    assert len(line) <= 18
    assert decode(line) == ((b"", 3) if size == 0 else "more: b''")


@settings(deadline=None, max_examples=300)
@given(st.lists(st.binary(min_size=1, max_size=20), max_size=6), st.data())
def test_what_is_written_is_read(pieces: list[bytes], data: st.DataObject) -> None:
    written = b"".join(chunk_head(len(piece)) + piece + b"\r\n" for piece in pieces) + chunk_head(0)
    cuts = sorted(data.draw(st.lists(st.integers(0, len(written)), max_size=8)))
    parts = [written[start:end] for start, end in zip([0, *cuts], [*cuts, len(written)], strict=True)]
    assert decode(*parts) == (b"".join(pieces), len(written))


WORDS = [b"0", b"1", b"a", b"\r\n", b"\r", b"\n", b";", b"=", b'"', b"\\", b" ", b"x", b"\0", b"5\r\nhello\r\n",
         b"0\r\n"]


@settings(deadline=None, max_examples=500)
@given(st.one_of(st.lists(st.sampled_from(WORDS), max_size=12).map(b"".join), st.binary(max_size=24)))
def test_cuts_never_matter(data: bytes) -> None:
    every_cut(data)
    every_cut(data, chunk_line_bytes=3, chunk_extension_bytes=4)
