"""Fields that are removed, set and added as a head is written."""

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


def edited(*fields: bytes, **edits: Any) -> bytes:
    return written("request", request(*fields), **edits)


def test_what_is_removed_is_removed_everywhere_in_any_case() -> None:
    fields = (b"a: 1", b"X-b: 2", b"A:3", b"c: 4", b"ab: 5")
    assert edited(*fields, removed=[b"A", b"x-B", b"none"]) == request(b"c: 4", b"ab: 5")
    assert written("response", response(*fields, b"Content-Length: 0"), removed=[b"a"]) == response(
        b"X-b: 2", b"c: 4", b"ab: 5", b"Content-Length: 0")  # fmt: skip


def test_what_is_set_takes_the_place_of_the_first() -> None:
    fields = (b"a: 1", b"X-b: 2", b"A:3", b"c: 4", b"a: 5")
    assert edited(*fields, set=[(b"A", b"new"), (b"x-B", b"")]) == request(b"a: new", b"X-b: ", b"c: 4")
    assert edited(*fields[1:], set=[(b"a", b"n")]) == request(b"X-b: 2", b"A: n", b"c: 4")


def test_what_is_set_and_was_not_there_comes_before_what_is_added() -> None:
    assert edited(b"a: 1", set=[(b"x", b"y"), (b"z", b"")], added=[(b"b", b"2")], connection="close") == request(
        b"a: 1", b"x: y", b"z: ", b"b: 2", b"Connection: close")  # fmt: skip


def test_of_those_set_twice_the_last_counts() -> None:
    pairs = [(b"x", b"1"), (b"y", b"2"), (b"X", b"3"), (b"x", b"4")]
    assert edited(b"X: 0", b"x: 0", set=pairs) == request(b"X: 4", b"y: 2")
    assert edited(set=pairs) == request(b"y: 2", b"x: 4")


def test_what_is_removed_and_set_comes_last() -> None:
    assert edited(b"x: 0", b"a: b", removed=[b"X"], set=[(b"x", b"1")]) == request(b"a: b", b"x: 1")


def test_what_is_removed_or_set_may_be_added_too() -> None:
    assert edited(b"x: 0", b"y: 0", removed=[b"X"], set=[(b"y", b"1")], added=[(b"x", b"2"), (b"Y", b"3")]) == request(
        b"y: 1", b"x: 2", b"Y: 3")  # fmt: skip


def test_what_ended_here_has_no_place_for_what_is_set() -> None:
    fields = (b"Connection: x", b"x: 0", b"a: b")
    assert edited(*fields, set=[(b"X", b"1")]) == request(b"a: b", b"X: 1")


def test_framing_is_not_touched_by_edits() -> None:
    for name in (b"Host", b"content-length", b"Transfer-Encoding", b"CONNECTION", b"Upgrade", b"expect", b"", b"a b",
                 b"a\r\nb", b"a:"):  # fmt: skip
        for edits in ({"removed": [b"a", name]}, {"set": [(b"a", b"b"), (name, b"5")]}):
            for kind, data in (("request", request()), ("response", response())):
                with pytest.raises(Refused, match="output_field"):
                    written(kind, data, **edits)


@pytest.mark.parametrize("value", [b"a\r\nb: c", b"a\nb", b"a\rb", b"\0", b"\x7f", b" a", b"a ", b"\t", b"a\x01b"])
def test_values_that_cannot_be_set(value: bytes) -> None:
    with pytest.raises(Refused, match="output_field"):
        edited(set=[(b"x", value)])


def test_the_most_that_can_be_set() -> None:
    names = [b"n%d" % number for number in range(65)]
    most = [(name, b"v") for name in names[:64]]
    fields = [name + b": v" for name in names[:64]]
    assert edited(*(name + b":0" for name in names[:64]), set=most) == request(*fields)
    assert edited(set=most) == request(*fields)
    with pytest.raises(Refused, match="output_field"):
        edited(set=[*most, (names[64], b"v")])


def test_names_whose_sizes_differ_by_64_are_no_match() -> None:
    long = b"a" * 65
    other = b"b" * 129
    assert edited(long + b": 1", removed=[b"a"], set=[(other, b"2")]) == request(long + b": 1", other + b": 2")


def model(received: Fields, removed: list[bytes], pairs: Fields, added: Fields) -> Fields:
    """The fields that should be written, by the contract's words."""
    gone = {name.lower() for name in removed}
    wanted: dict[bytes, tuple[bytes, bytes]] = {}
    for name, value in pairs:
        wanted.pop(name.lower(), None)
        wanted[name.lower()] = (name, value)
    out: Fields = []
    placed: set[bytes] = set()
    for name, value in received:
        if name.lower() in gone or name.lower() in placed:
            continue
        if name.lower() in wanted:
            placed.add(name.lower())
            out.append((name, wanted[name.lower()][1]))
        else:
            out.append((name, value))
    return out + [pair for name, pair in wanted.items() if name not in placed] + added


NAMES = st.sampled_from([b"a", b"A", b"b", b"ab", b"Ab", b"x-y_z", b"X-Request-Id", b"x-request-id"])
PAIRS = st.lists(st.tuples(NAMES, st.sampled_from([b"", b"1", b"2  3", b"\xff"])), max_size=6)


@settings(deadline=None, max_examples=500)
@given(PAIRS, st.lists(NAMES, max_size=3), PAIRS, PAIRS, st.sampled_from([b": ", b":", b":\t "]))
def test_edits_do_what_their_contract_says(
    received: Fields, removed: list[bytes], pairs: Fields, added: Fields, colon: bytes
) -> None:
    out = edited(*(name + colon + value for name, value in received), removed=removed, set=pairs, added=added)
    assert out == request(*(name + b": " + value for name, value in model(received, removed, pairs, added)))
