"""Names that requests get: UUIDs of version 4."""

from __future__ import annotations

import re
import uuid

from mesh_core._testing.request_log import request_ids


def test_they_are_uuids() -> None:
    for text in request_ids(200):
        parsed = uuid.UUID(text.decode())
        assert str(parsed).encode() == text
        assert (parsed.version, parsed.variant) == (4, uuid.RFC_4122)


def test_no_two_are_the_same() -> None:
    assert len({*request_ids(50_000), *request_ids(50_000)}) == 100_000


def test_every_digit_varies() -> None:
    columns = list(zip(*(text.decode() for text in request_ids(2000)), strict=True))
    varying = [len(set(column)) for column in columns]
    pattern = "xxxxxxxx-xxxx-4xxx-yxxx-xxxxxxxxxxxx"
    assert varying == [{"x": 16, "y": 4}.get(kind, 1) for kind in pattern]


def test_the_generator_is_xoroshiro128plusplus() -> None:
    """Against a model of it in Python."""
    state = [1, 2]
    numbers = []
    for _ in range(20):
        first, second = state
        numbers.append((_rotate((first + second) % 2**64, 17) + first) % 2**64)
        second ^= first
        state = [_rotate(first, 49) ^ second ^ (second << 21) % 2**64, _rotate(second, 28)]
    digits = "".join(number.to_bytes(8, "little").hex() for number in numbers)
    expected = [digits[start : start + 32] for start in range(0, len(digits), 32)]
    found = [text.decode().replace("-", "") for text in request_ids(10, (1, 2))]
    # But for the version and the variant.
    masked = [re.sub(r"^(.{12}).(.{3}).", r"\1.\2.", each) for each in (*expected, *found)]
    assert masked[:10] == masked[10:]


def _rotate(value: int, by: int) -> int:
    return (value << by | value >> (64 - by)) % 2**64
