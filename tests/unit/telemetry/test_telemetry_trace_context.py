"""Headers of trace contexts: what is read of them, and what is written."""

from __future__ import annotations

import pytest

from mesh_core._testing.policies import read_b3, read_b3_fields, read_traceparent, rewritten, sound_tracestate

TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
SPAN = "00f067aa0ba902b7"
GOOD = f"00-{TRACE}-{SPAN}-01"
BAD = ("malformed", None, None, None, False)


@pytest.mark.parametrize(
    ("text", "sampled"),
    [
        (GOOD, True),
        (f"00-{TRACE}-{SPAN}-00", False),
        (f"00-{TRACE}-{SPAN}-02", False),
        (f"00-{TRACE}-{SPAN}-ff", True),
        (f"cc-{TRACE}-{SPAN}-01", True),
        (f"01-{TRACE}-{SPAN}-01-what-the-future-will-be-like", True),
    ],
)
def test_traceparent(text: str, sampled: bool) -> None:
    assert read_traceparent(text.encode()) == ("found", TRACE, SPAN, sampled, False)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "00",
        GOOD[:-1],
        GOOD + "-",
        GOOD + "0",
        f"01-{TRACE}-{SPAN}-01.",
        f"ff-{TRACE}-{SPAN}-01",
        f"0x-{TRACE}-{SPAN}-01",
        f"00-{'0' * 32}-{SPAN}-01",
        f"00-{TRACE}-{'0' * 16}-01",
        GOOD.upper(),
        f"00-{TRACE}-{SPAN}-0x",
        f"00_{TRACE}-{SPAN}-01",
        f"00-{TRACE}_{SPAN}-01",
        f"00-{TRACE}-{SPAN}_01",
        GOOD.replace("4bf", "4bg"),
        " " + GOOD,
    ],
)
def test_traceparents_that_are_none(text: str) -> None:
    assert read_traceparent(text.encode()) == BAD


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (f"{TRACE}-{SPAN}-1-{'a' * 16}", ("found", TRACE, SPAN, True, False)),
        (f"{TRACE}-{SPAN}-1", ("found", TRACE, SPAN, True, False)),
        (f"{TRACE}-{SPAN}-0", ("found", TRACE, SPAN, False, False)),
        (f"{TRACE}-{SPAN}-d", ("found", TRACE, SPAN, True, True)),
        (f"{TRACE}-{SPAN}", ("found", TRACE, SPAN, None, False)),
        (f"{TRACE[:16]}-{SPAN}-1", ("found", "0" * 16 + TRACE[:16], SPAN, True, False)),
        (f"{TRACE.upper()}-{SPAN}-1", ("found", TRACE, SPAN, True, False)),
        ("0", ("decision", None, None, False, False)),
        ("1", ("decision", None, None, True, False)),
        ("d", ("decision", None, None, True, True)),
        ("x", BAD),
        ("", BAD),
        (TRACE, BAD),
        (f"{TRACE}-{SPAN[:-1]}", BAD),
        (f"{TRACE}-{SPAN}-", BAD),
        (f"{TRACE}-{SPAN}-2", BAD),
        (f"{TRACE}-{SPAN}_1", BAD),
        (f"{'0' * 32}-{SPAN}-1", BAD),
    ],
)
def test_b3(text: str, expected: tuple[object, ...]) -> None:
    assert read_b3(text.encode()) == expected


@pytest.mark.parametrize("tail", ["-1-", "-1-" + "a" * 15, "-1-" + "g" * 16, "-1-" + "a" * 17, "-1_" + "a" * 16])
def test_b3_with_a_parent_that_is_none(tail: str) -> None:
    assert read_b3((TRACE + "-" + SPAN + tail).encode())[0] == "malformed"


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"trace_id": TRACE, "span_id": SPAN, "sampled": "1"}, ("found", TRACE, SPAN, True, False)),
        ({"trace_id": TRACE, "span_id": SPAN}, ("found", TRACE, SPAN, None, False)),
        ({"trace_id": TRACE, "span_id": SPAN, "flags": "1"}, ("found", TRACE, SPAN, True, True)),
        ({"trace_id": TRACE, "span_id": SPAN, "sampled": "true"}, ("found", TRACE, SPAN, True, False)),
        ({"trace_id": TRACE, "span_id": SPAN, "sampled": "false"}, ("found", TRACE, SPAN, False, False)),
        ({"sampled": "0"}, ("decision", None, None, False, False)),
        ({"trace_id": TRACE}, BAD),
        ({"span_id": SPAN}, BAD),
        ({"trace_id": TRACE[:20], "span_id": SPAN}, BAD),
        ({"trace_id": TRACE, "span_id": SPAN, "sampled": "yes"}, BAD),
    ],
)
def test_b3_in_several_headers(fields: dict[str, str], expected: tuple[object, ...]) -> None:
    assert read_b3_fields(**{name: text.encode() for name, text in fields.items()}) == expected


def test_what_is_written() -> None:
    none = "0" * 16
    assert rewritten(f"{TRACE}-{SPAN}-1".encode()) == (
        f"00-{TRACE}-{none}-01".encode(), f"{TRACE}-{none}-1-{SPAN}".encode(),
    )  # fmt: skip
    assert rewritten(f"{TRACE[:16]}-{SPAN}-d".encode()) == (
        f"00-{none}{TRACE[:16]}-{none}-01".encode(), f"{TRACE[:16]}-{none}-d-{SPAN}".encode(),
    )  # fmt: skip


def test_tracestate() -> None:
    assert sound_tracestate(b"a=1,b@c=2, d=3")
    assert sound_tracestate(b"a=1", b"", b"b=2")
    assert sound_tracestate(b",".join(b"k%d=1" % each for each in range(32)))
    assert not sound_tracestate(b",".join(b"k%d=1" % each for each in range(20)), b",".join([b"x=1"] * 13))
    for bad in (b"a", b"=1", b"a=", b"a=1,b"):
        assert not sound_tracestate(bad)
