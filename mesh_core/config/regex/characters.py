"""Sets of characters, as sorted ranges of code points, and the bytes that they are in UTF-8."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

Ranges = tuple[tuple[int, int], ...]
"""Ascending, apart from each other, both ends included; without surrogates."""

_LARGEST = 0x10FFFF
_SURROGATES = (0xD800, 0xDFFF)


def _of(*parts: str) -> Ranges:
    """Of "az" the letters from a to z."""
    return tuple((ord(part[0]), ord(part[1])) for part in parts)


DIGIT = _of("09")
WORD = _of("09", "AZ", "__", "az")
SPACE = _of("\t\n", "\f\r", "  ")
"""Without the vertical tab, as in RE2 and Perl."""

POSIX = {
    "alnum": _of("09", "AZ", "az"), "alpha": _of("AZ", "az"), "ascii": _of("\0\x7f"), "blank": _of("\t\t", "  "),
    "cntrl": _of("\0\x1f", "\x7f\x7f"), "digit": DIGIT, "graph": _of("!~"), "lower": _of("az"), "print": _of(" ~"),
    "punct": _of("!/", ":@", "[`", "{~"), "space": _of("\t\r", "  "), "upper": _of("AZ"), "word": WORD,
    "xdigit": _of("09", "AF", "af"),
}  # fmt: skip


def union(ranges: Iterable[tuple[int, int]]) -> Ranges:
    """The characters of any of these ranges."""
    out: list[tuple[int, int]] = []
    for first, last in sorted(_without_surrogates(ranges)):
        if out and first <= out[-1][1] + 1:
            out[-1] = (out[-1][0], max(last, out[-1][1]))
        else:
            out.append((first, last))
    return tuple(out)


def _without_surrogates(ranges: Iterable[tuple[int, int]]) -> Iterator[tuple[int, int]]:
    for first, last in ranges:
        yield from (
            each
            for each in ((first, min(last, _SURROGATES[0] - 1)), (max(first, _SURROGATES[1] + 1), last))
            if each[0] <= each[1]
        )


def complement(ranges: Ranges) -> Ranges:
    """Every other character."""
    starts = [0, *(last + 1 for _, last in ranges)]
    ends = [*(first - 1 for first, _ in ranges), _LARGEST]
    return union((first, last) for first, last in zip(starts, ends, strict=True) if first <= last)


def in_either_case(ranges: Ranges) -> Ranges:
    """With the other case of every letter from A to Z."""
    more = []
    for low, high, shift in ((0x41, 0x5A, 0x20), (0x61, 0x7A, -0x20)):
        for first, last in ranges:
            if max(first, low) <= min(last, high):
                more.append((max(first, low) + shift, min(last, high) + shift))
    return union((*ranges, *more))


def utf8_sequences(first: int, last: int) -> Iterator[tuple[tuple[int, int], ...]]:
    """Sequences of ranges of bytes that together are the characters from `first` to `last`, in UTF-8."""
    for most in (0x7F, 0x7FF, 0xFFFF):
        if first <= most < last:
            yield from utf8_sequences(first, most)
            yield from utf8_sequences(most + 1, last)
            return
    if last <= 0x7F:
        yield ((first, last),)
        return
    # A sequence stands for all combinations of its ranges: behind a byte that differs, ranges must be whole.
    for bits in (6, 12, 18):
        mask = (1 << bits) - 1
        if first | mask != last | mask:
            if first & mask:
                yield from utf8_sequences(first, first | mask)
                yield from utf8_sequences((first | mask) + 1, last)
                return
            if last & mask != mask:
                yield from utf8_sequences(first, (last & ~mask) - 1)
                yield from utf8_sequences(last & ~mask, last)
                return
    yield tuple(zip(chr(first).encode(), chr(last).encode(), strict=True))
