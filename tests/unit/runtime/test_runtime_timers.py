"""The timer wheel against a model: a dictionary of deadlines."""

from __future__ import annotations

import random

import pytest

from mesh_core._testing.timers import TICK_MS, WHEEL_TICKS, Wheel

DAY_MS = 86_400_000
FARTHEST_MS = WHEEL_TICKS // 2 * TICK_MS


def due_at(deadline_ms: int) -> int:
    """The first moment at which the wheel fires a timer: its deadline, rounded up to a tick."""
    return -(-deadline_ms // TICK_MS) * TICK_MS


class Model:
    """What a wheel should do, in the slowest and plainest way."""

    def __init__(self, now_ms: int) -> None:
        self.now_ms = now_ms
        self.due: dict[int, int] = {}

    def set(self, number: int, deadline_ms: int) -> None:
        tick_ms = self.now_ms // TICK_MS * TICK_MS
        self.due[number] = max(due_at(deadline_ms), tick_ms + TICK_MS)

    def advance(self, now_ms: int) -> dict[int, int]:
        fired = {number: due for number, due in self.due.items() if due <= now_ms}
        for number in fired:
            del self.due[number]
        self.now_ms = now_ms
        return fired


def check_fired(fired: list[int], expected: dict[int, int]) -> None:
    assert sorted(fired) == sorted(expected)
    moments = [expected[number] for number in fired]
    assert moments == sorted(moments)


# How far deadlines lie and how far a step goes: some rounds stay within a level, others cross all of them.
SPANS_MS = (50, 700, 45_000, 3_000_000, 200_000_000, FARTHEST_MS - TICK_MS)


@pytest.mark.parametrize("seed", range(6))
def test_random_operations(seed: int) -> None:
    noise = random.Random(seed)
    start_ms = noise.choice((0, 7, 63 * TICK_MS, noise.randrange(10**13), WHEEL_TICKS * TICK_MS - 1))
    wheel, model = Wheel(64, start_ms), Model(start_ms)
    for _ in range(150_000):
        choice = noise.random()
        number = noise.randrange(64)
        if choice < 0.55:
            deadline_ms = model.now_ms + noise.randrange(-20, noise.choice(SPANS_MS))
            wheel.set(number, deadline_ms)
            model.set(number, deadline_ms)
        elif choice < 0.65:
            wheel.cancel(number)
            model.due.pop(number, None)
        else:
            now_ms = model.now_ms + noise.randrange(noise.choice(SPANS_MS))
            check_fired(wheel.advance(now_ms), model.advance(now_ms))
        next_ms = wheel.next_ms()
        if model.due:
            # Never later than the earliest deadline, never in the past.
            assert model.now_ms // TICK_MS * TICK_MS <= next_ms <= min(model.due.values())
        else:
            assert next_ms == -1
    assert {number for number in range(64) if wheel.is_set(number)} == set(model.due)


@pytest.mark.parametrize("seed", range(2))
def test_following_next_ms_fires_everything_at_its_tick(seed: int) -> None:
    noise = random.Random(seed)
    start_ms = noise.randrange(10**12)
    wheel, model = Wheel(300, start_ms), Model(start_ms)
    for number in range(300):
        deadline_ms = start_ms + noise.randrange(1, noise.choice(SPANS_MS))
        wheel.set(number, deadline_ms)
        model.set(number, deadline_ms)
    turns = 0
    while (next_ms := wheel.next_ms()) >= 0:
        turns += 1
        expected = model.advance(next_ms)
        assert all(due == next_ms for due in expected.values())
        check_fired(wheel.advance(next_ms), expected)
    assert not model.due
    # Each timer costs at most one stop on each level.
    assert turns <= 300 * 5


@pytest.mark.parametrize("deadline_ms", [1, 9, 10, 11, 640, 641, 40_960, 2_621_440, 10 * DAY_MS, 24 * DAY_MS])
@pytest.mark.parametrize("start_ms", [0, 5, 639, 2_621_435, WHEEL_TICKS * TICK_MS - 10, 10**12 + 3])
def test_never_early_and_at_most_a_tick_late(deadline_ms: int, start_ms: int) -> None:
    wheel = Wheel(1, start_ms)
    wheel.set(0, start_ms + deadline_ms)
    assert wheel.advance(start_ms + deadline_ms - 1) == []
    assert wheel.advance(start_ms + deadline_ms + TICK_MS - 1) == [0]
    assert wheel.next_ms() == -1


def test_a_deadline_in_the_past_fires_at_the_next_tick() -> None:
    wheel = Wheel(1, 1000)
    wheel.set(0, -5)
    assert wheel.advance(1009) == []
    assert wheel.advance(1010) == [0]


def test_a_deadline_beyond_the_horizon_is_brought_within() -> None:
    wheel = Wheel(1)
    wheel.set(0, 10**15)
    assert 0 < wheel.next_ms() <= FARTHEST_MS
    assert wheel.advance(60 * DAY_MS) == []
    assert wheel.advance(FARTHEST_MS + TICK_MS) == [0]


def test_setting_again_moves() -> None:
    wheel = Wheel(2)
    wheel.set(0, 100)
    wheel.set(0, 5000)
    wheel.set(1, 200)
    assert wheel.advance(300) == [1]
    assert wheel.advance(5000) == [0]


def test_cancelling_what_is_not_set_is_allowed() -> None:
    wheel = Wheel(1)
    wheel.cancel(0)
    wheel.set(0, 10)
    wheel.cancel(0)
    wheel.cancel(0)
    assert wheel.advance(1000) == []
    assert wheel.next_ms() == -1


def test_callbacks_may_cancel_and_move_each_other() -> None:
    """Of eight timers of one slot the first to fire cancels two, moves two to later and sets itself again."""
    wheel = Wheel(8)
    for number in range(8):
        wheel.set(number, 100)

    def on_fire(number: int) -> None:
        wheel.on_fire = None
        others = [other for other in range(8) if other != number]
        for other in others[:2]:
            wheel.cancel(other)
        for other in others[2:4]:
            wheel.set(other, 300)
        wheel.set(number, 300)

    wheel.on_fire = on_fire
    fired = wheel.advance(100)
    assert len(fired) == 4
    first = fired[0]
    others = [other for other in range(8) if other != first]
    assert sorted(fired[1:]) == others[4:]
    assert sorted(wheel.advance(300)) == sorted([first, *others[2:4]])


def test_a_callback_that_sets_itself_does_not_hold_the_wheel() -> None:
    wheel = Wheel(1)

    def again(number: int) -> None:
        wheel.set(number, 0)

    wheel.on_fire = again
    wheel.set(0, 10)
    # Once for each tick that went by, and then it waits for the next one.
    assert wheel.advance(1000) == [0] * 100
    assert wheel.next_ms() == 1010


def test_random_callbacks() -> None:
    """Timers that set and cancel others while the wheel advances; a model would need the wheel's own order."""
    noise = random.Random(1)
    wheel = Wheel(100)
    deadlines: dict[int, int] = {}
    now_ms = 0

    def on_fire(number: int) -> None:
        assert deadlines.pop(number) <= now_ms
        for _ in range(noise.randrange(3)):
            other = noise.randrange(100)
            if noise.random() < 0.4:
                wheel.cancel(other)
                deadlines.pop(other, None)
            else:
                deadlines[other] = now_ms + noise.randrange(noise.choice(SPANS_MS))
                wheel.set(other, deadlines[other])

    wheel.on_fire = on_fire
    for _ in range(20_000):
        number = noise.randrange(100)
        deadlines[number] = now_ms + noise.randrange(noise.choice(SPANS_MS))
        wheel.set(number, deadlines[number])
        now_ms += noise.randrange(noise.choice(SPANS_MS[:4]))
        wheel.advance(now_ms)
        # What is left was due not more than a tick ago: a callback sets it for the next tick at the soonest.
        assert all(deadline > now_ms - 2 * TICK_MS for deadline in deadlines.values())
        assert {each for each in range(100) if wheel.is_set(each)} == set(deadlines)
