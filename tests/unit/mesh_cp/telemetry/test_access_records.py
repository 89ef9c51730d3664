"""The newest access records: which are found, which are kept."""

from __future__ import annotations

import pytest

from mesh_core.channel.messages import Telemetry
from mesh_cp.telemetry import AccessRecords, access_records


class Clock:
    now_s = 50.0

    def __call__(self) -> float:
        return self.now_s


def lines(found: access_records.Found) -> list[str]:
    return [each.line for each in found.records]


@pytest.fixture
def records() -> AccessRecords:
    kept = AccessRecords(Clock())
    for number in range(6):
        node, service = (("a-1", "a.shop"), ("b-1", "b.shop"))[number % 2]
        kept.take(node, service, Telemetry(records=(f"line {number}",), dropped=number))
    return kept


@pytest.mark.parametrize(
    ("asked", "found", "last"),
    [
        ((-1, 100, "", ""), [0, 1, 2, 3, 4, 5], 6),
        ((-1, 2, "", ""), [4, 5], 6),
        ((-1, 2, "a-1", ""), [2, 4], 6),
        ((-1, 9, "", "b"), [1, 3, 5], 6),
        ((-1, 9, "", "b.shop"), [1, 3, 5], 6),
        ((-1, 9, "a-1", "b"), [], 6),
        ((3, 100, "", ""), [3, 4, 5], 6),
        ((3, 2, "", ""), [3, 4], 5),
        ((3, 2, "b-1", ""), [3, 5], 6),
        ((6, 9, "", ""), [], 6),
        ((999, 9, "", ""), [], 6),
    ],
)
def test_which_are_found(
    records: AccessRecords, asked: tuple[int, int, str, str], found: list[int], last: int
) -> None:
    answer = records.find(*asked)
    assert lines(answer) == [f"line {number}" for number in found]
    assert (answer.last, answer.missed) == (last, 0)
    assert records.dropped == 15


def test_the_oldest_go(records: AccessRecords, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(access_records, "KEPT_MOST", 3)
    records.take("a-1", "a.shop", Telemetry(records=("line 6", "line 7")))
    answer = records.find(2, 9)
    assert (lines(answer), answer.missed) == (["line 5", "line 6", "line 7"], 3)
    monkeypatch.setattr(access_records, "KEPT_BYTES", 20)
    records.take("a-1", "a.shop", Telemetry(records=("x" * 18,)))
    assert lines(records.find(0, 9)) == ["x" * 18]
    assert AccessRecords(Clock()).find(5, 9) == access_records.Found((), 0, 0)


def test_one_that_tells_too_much_is_not_heard_for_a_while(records: AccessRecords) -> None:
    before = records.dropped
    for _ in range(3):
        records.take("c-1", "c.shop", Telemetry(records=("much",) * 1000))
    records.take("b-1", "b.shop", Telemetry(records=("little",)))
    assert records.dropped == before + 1000
    assert lines(records.find(-1, 1)) == ["little"]
