"""The access records that a control plane is told of: how many, how large, and what is said of the others."""

from __future__ import annotations

from mesh_core.channel.messages import RECORD_CHARACTERS
from mesh_core.control import record_share
from mesh_core.control.record_share import RecordShare


class Clock:
    now_s = 7.0

    def __call__(self) -> float:
        return self.now_s


def lines(*numbers: int) -> bytes:
    return b"".join(b"%d\n" % number for number in numbers)


def test_so_many_a_second_and_the_others_are_counted() -> None:
    clock = Clock()
    share = RecordShare(4, clock)
    assert share.told() == ((), 0)
    share.take(lines(1, 2, 3))
    share.take(b"")
    share.take(lines(4, 5, 6))
    assert share.told() == (("1", "2", "3", "4"), 2)
    clock.now_s += 0.5
    share.take(lines(7, 8, 9))
    clock.now_s += 100
    share.take(lines(*range(10, 16)))
    assert share.told() == (("7", "8", "10", "11", "12", "13"), 3)
    assert share.told() == ((), 0)


def test_a_line_that_is_too_long_is_one_of_the_others() -> None:
    share = RecordShare(10, Clock())
    longest = b"x" * RECORD_CHARACTERS
    share.take(longest + b"\n" + longest + b"x\n" + b"\xff\n")
    assert share.told() == ((longest.decode(), "\ufffd"), 1)


def test_much_is_told_in_parts() -> None:
    share = RecordShare(1000, Clock())
    line = "x" * RECORD_CHARACTERS
    share.take((line.encode() + b"\n") * 200)
    first, second = share.told(), share.told()
    assert (len(first[0]), len(second[0])) == (record_share.TOLD_BYTES // RECORD_CHARACTERS, 72)


def test_what_nobody_asks_for_is_not_kept_without_a_bound() -> None:
    clock = Clock()
    share = RecordShare(1000, clock)
    for _ in range(10):
        share.take(lines(*range(1000)))
        clock.now_s += 1
    told, dropped = share.told()
    assert (len(told), dropped) == (2000, 8000)
