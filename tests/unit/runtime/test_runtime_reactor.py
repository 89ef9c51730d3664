"""The event loop of a worker: sources, tasks, timers, wake-ups, deferred freeing."""

from __future__ import annotations

import itertools
import select
import socket
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from mesh_core._testing.reactor import Handle, Reactor

DAY_MS = 86_400_000
PATIENCE_S = 20.0


@pytest.fixture
def reactor() -> Iterator[Reactor]:
    each = Reactor()
    yield each
    each.close()


def turn_until(reactor: Reactor, condition: Callable[[], bool]) -> None:
    """Turn without sleeping inside, so that a lost event fails the test rather than hanging it."""
    give_up = time.monotonic() + PATIENCE_S
    while not condition():
        assert time.monotonic() < give_up, "the reactor never came to it"
        select.select([reactor.epoll_fd], [], [], 0.05)
        reactor.turn()


def test_descriptors_are_given_back() -> None:
    before = len(list(Path("/proc/self/fd").iterdir()))
    reactor = Reactor()
    assert len(list(Path("/proc/self/fd").iterdir())) == before + 3
    reactor.close()
    assert len(list(Path("/proc/self/fd").iterdir())) == before


# --- tasks ---


def test_tasks_run_in_order_and_once(reactor: Reactor) -> None:
    ran: list[int] = []
    tasks = [Handle(lambda number=number: ran.append(number)) for number in range(5)]
    for number in (3, 1, 4, 1, 3, 0):
        reactor.queue_task(tasks[number])
    assert reactor.has_work
    reactor.turn()
    assert ran == [3, 1, 4, 0]
    assert not reactor.has_work
    reactor.turn()
    assert ran == [3, 1, 4, 0]


def test_a_task_queued_by_a_task_waits_for_the_next_turn(reactor: Reactor) -> None:
    ran: list[str] = []

    def first() -> None:
        ran.append("first")
        reactor.queue_task(handles[0])
        reactor.queue_task(handles[1])

    handles = [Handle(first), Handle(lambda: ran.append("second"))]
    reactor.queue_task(handles[0])
    reactor.turn()
    assert ran == ["first"]
    reactor.turn()
    assert ran == ["first", "first", "second"]


def test_has_work_keeps_a_turn_from_sleeping(reactor: Reactor) -> None:
    ran: list[int] = []
    task = Handle(lambda: ran.append(1))
    reactor.queue_task(task)
    reactor.turn(may_sleep=True)
    assert ran == [1]


@pytest.mark.parametrize("cancelled", [[0], [1], [2], [0, 1], [1, 2], [0, 2], [2, 1, 0], [0, 1, 2]])
def test_cancelling_queued_tasks(reactor: Reactor, cancelled: list[int]) -> None:
    ran: list[int] = []
    tasks = [Handle(lambda number=number: ran.append(number)) for number in range(4)]
    for task in tasks[:3]:
        reactor.queue_task(task)
    for number in cancelled:
        reactor.cancel_task(tasks[number])
        reactor.cancel_task(tasks[number])
    reactor.queue_task(tasks[3])
    reactor.turn()
    assert ran == [number for number in range(4) if number not in cancelled]
    assert not reactor.has_work


@pytest.mark.parametrize("victims", [[1], [2], [3], [1, 2], [2, 3], [3, 2, 1], [1, 3]])
@pytest.mark.parametrize("requeue", [False, True])
def test_cancelling_within_the_batch(reactor: Reactor, victims: list[int], requeue: bool) -> None:
    ran: list[int] = []

    def first() -> None:
        ran.append(0)
        for number in victims:
            reactor.cancel_task(tasks[number])
            if requeue:
                reactor.queue_task(tasks[number])

    tasks = [Handle(first), *(Handle(lambda number=number: ran.append(number)) for number in range(1, 4))]
    for task in tasks:
        reactor.queue_task(task)
    reactor.turn()
    survivors = [number for number in range(4) if number not in victims]
    assert ran == survivors
    reactor.turn()
    assert ran == survivors + (victims if requeue else [])


# --- retiring ---


def test_retired_are_freed_at_the_end_of_the_turn(reactor: Reactor) -> None:
    seen: list[str] = []
    handle = Handle(lambda: seen.append("freed"))
    first = Handle(lambda: (reactor.retire(handle), seen.append("first")))
    second = Handle(lambda: seen.append("second"))
    reactor.queue_task(first)
    reactor.queue_task(second)
    reactor.turn()
    assert seen == ["first", "second", "freed"]


def test_what_is_retired_while_freeing_is_freed_too(reactor: Reactor) -> None:
    seen: list[str] = []
    inner = Handle(lambda: seen.append("inner"))
    outer = Handle(lambda: (seen.append("outer"), reactor.retire(inner)))
    reactor.retire(outer)
    reactor.turn()
    assert seen == ["outer", "inner"]


def test_closing_frees_what_was_retired() -> None:
    seen: list[str] = []
    reactor = Reactor()
    handle = Handle(lambda: seen.append("freed"))
    reactor.retire(handle)
    reactor.close()
    assert seen == ["freed"]


# --- sources ---


def test_a_watched_socket_is_edge_triggered(reactor: Reactor) -> None:
    events: list[int] = []
    here, there = socket.socketpair()
    with here, there:
        handle = Handle(events.append, here.fileno())
        assert reactor.watch(handle) == 0
        reactor.turn()
        assert events == [select.EPOLLOUT]
        reactor.turn()
        assert len(events) == 1
        there.send(b"x")
        reactor.turn()
        assert events[1:] == [select.EPOLLIN | select.EPOLLOUT]
        reactor.turn()
        assert len(events) == 2
        there.shutdown(socket.SHUT_WR)
        reactor.turn()
        assert events[2] & select.EPOLLRDHUP
        reactor.forget(handle)
        there.close()
        reactor.turn()
        assert len(events) == 3


def test_a_listener_is_level_triggered(reactor: Reactor) -> None:
    events: list[int] = []
    with socket.create_server(("127.0.0.1", 0)) as server:
        handle = Handle(events.append, server.fileno())
        assert reactor.watch(handle, listener=True) == 0
        with socket.create_connection(server.getsockname()):
            turn_until(reactor, lambda: bool(events))
            reactor.turn()
            assert len(events) == 2
            server.accept()[0].close()
            reactor.turn()
            assert len(events) == 2


def test_watching_what_is_no_descriptor_is_an_errno(reactor: Reactor) -> None:
    assert reactor.watch(Handle(print, -1)) == 9  # EBADF


# --- wake-ups ---


def test_wake_from_another_thread(reactor: Reactor) -> None:
    woken: list[int] = []
    handle = Handle(woken.append)
    reactor.on_wake(handle)
    reactor.turn()
    assert not woken
    threads = [threading.Thread(target=reactor.wake) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    reactor.turn()
    assert len(woken) == 1
    reactor.turn()
    assert len(woken) == 1


def test_wake_ends_a_sleep(reactor: Reactor) -> None:
    woken: list[int] = []
    handle = Handle(woken.append)
    reactor.on_wake(handle)
    sleeper = threading.Thread(target=reactor.turn, args=(True,), daemon=True)
    sleeper.start()
    reactor.wake()
    sleeper.join(PATIENCE_S)
    assert not sleeper.is_alive()
    assert woken


# --- timers ---


def test_timers_fire_in_order_and_never_early(reactor: Reactor) -> None:
    fired: list[tuple[int, int]] = []
    reactor.turn()
    start_ms = reactor.now_ms
    handles = {
        delay_ms: Handle(lambda delay_ms=delay_ms: fired.append((delay_ms, reactor.now_ms)))
        for delay_ms in (90, 0, 35, 700)
    }
    for delay_ms, handle in handles.items():
        reactor.set_timer(handle, start_ms + delay_ms)
    reactor.cancel_timer(handles.pop(700))
    turn_until(reactor, lambda: len(fired) == 3)
    assert [delay_ms for delay_ms, _ in fired] == [0, 35, 90]
    assert all(now_ms >= start_ms + delay_ms for delay_ms, now_ms in fired)


def test_a_sleeping_reactor_is_woken_by_its_timer(reactor: Reactor) -> None:
    fired: list[int] = []
    handle = Handle(lambda: fired.append(1))
    reactor.set_timer(handle, reactor.now_ms + 30)

    def run() -> None:
        while not fired:
            reactor.turn(True)

    sleeper = threading.Thread(target=run, daemon=True)
    sleeper.start()
    sleeper.join(PATIENCE_S)
    assert fired == [1]


def test_moving_a_deadline_backward_costs_nothing(reactor: Reactor) -> None:
    handle = Handle(lambda: None)
    now_ms = reactor.now_ms
    assert reactor.armed_ms == -1
    reactor.set_timer(handle, now_ms + 60_000)
    armed_ms = reactor.armed_ms
    assert 0 < armed_ms <= now_ms + 60_000
    for later_ms in range(60_010, 70_000, 10):
        reactor.set_timer(handle, now_ms + later_ms)
    assert reactor.armed_ms == armed_ms
    reactor.set_timer(handle, now_ms + 50)
    assert reactor.armed_ms <= now_ms + 60
    reactor.cancel_timer(handle)


def test_a_timer_set_by_a_timer(reactor: Reactor) -> None:
    fired: list[int] = []

    def again() -> None:
        fired.append(reactor.now_ms)
        if len(fired) < 4:
            reactor.set_timer(handle, reactor.now_ms + 20)

    handle = Handle(again)
    reactor.set_timer(handle, reactor.now_ms + 20)
    turn_until(reactor, lambda: len(fired) == 4)
    assert all(later - earlier >= 20 for earlier, later in itertools.pairwise(fired))


@pytest.mark.parametrize("quiet_ms", [1000, DAY_MS, 30 * DAY_MS, 90 * DAY_MS, 400 * DAY_MS])
def test_never_early_after_a_long_time_without_timers(reactor: Reactor, quiet_ms: int) -> None:
    """Nothing moves the wheel while no timer is set, so the first one finds it far behind."""
    fired: list[int] = []
    handle, beacon = Handle(lambda: fired.append(1)), Handle(lambda: fired.append(2))
    reactor.pretend_quiet_for_ms(quiet_ms)
    reactor.set_timer(handle, reactor.now_ms + 10 * DAY_MS)
    reactor.set_timer(beacon, reactor.now_ms + 30)
    turn_until(reactor, lambda: bool(fired))
    assert fired == [2]
    reactor.cancel_timer(handle)
