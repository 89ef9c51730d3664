"""Overload protection: what is given up, in which order, and what never is."""

from __future__ import annotations

import errno
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from mesh_core.config.schema import Overload
from mesh_core.control.overload import actions_at, open_descriptors, pressures, resident_bytes
from mesh_core.snapshot.overload_state import ACTIONS
from tests.support.http_messages import get
from tests.support.http_service import HttpService, to
from tests.support.waiting import wait_until

ROUTES = [
    {"matches": [{"path": {"prefix": "/low"}}], "cluster": "app", "priority": "low"},
    {"matches": [{"path": {"prefix": "/high"}}], "cluster": "app", "priority": "high"},
    {"matches": [{"path": {"prefix": "/health"}}], "direct_response": {"status": 200}},
    {"cluster": "app"},
]


def in_force(service: HttpService, *names: str) -> None:
    """Have the workers see these actions."""
    service.proxy.proxy._compiler.overload.set(frozenset(names))


@pytest.mark.parametrize(
    ("actions", "refused"),
    [
        ((), set()),
        (("stop_keepalive",), set()),
        (("refuse_low",), {b"/low"}),
        (("refuse_low", "refuse_default"), {b"/low", b"/"}),
        (("refuse_low", "refuse_default", "refuse_high"), {b"/low", b"/", b"/high"}),
    ],
)
def test_requests_are_refused_by_priority(service: HttpService, actions: tuple[str, ...], refused: set[bytes]) -> None:
    origin = service.origin()
    service.serve(to(origin), routes=ROUTES)
    in_force(service, *actions)
    for target in (b"/low", b"/", b"/high", b"/health"):
        answer = service.get(target)
        assert answer.status == (503 if target in refused else 200), target
        assert (answer.body == b"overload") is (target in refused)
    assert {message.target for message in origin.requests} == {b"/low", b"/", b"/high"} - refused
    assert service.listener()["downstream_rq_overload_close"] == len(refused)
    in_force(service)
    assert service.get(b"/low").status == 200


def test_connections_end_with_their_answer(service: HttpService) -> None:
    service.serve(to(service.origin()), routes=ROUTES)
    with service.client() as client:
        assert client.exchange(get(b"/")).values(b"connection") == []
        in_force(service, "stop_keepalive")
        assert client.exchange(get(b"/")).values(b"connection") == [b"close"]
        assert client.expect_closed() == "end"
    assert service.listener()["downstream_cx_overload_disable_keepalive"] == 1


def test_new_connections_are_refused(service: HttpService) -> None:
    service.serve(to(service.origin()), routes=ROUTES)
    with service.client() as client:
        assert client.exchange(get(b"/")).status == 200
        in_force(service, "refuse_connections")
        service.proxy.turns_away()
        # Who is here is served.
        assert client.exchange(get(b"/")).status == 200
    assert service.listener()["downstream_cx_overload_reject"] == 1


def test_memory_is_measured(service: HttpService) -> None:
    """A bound that any process is over."""
    origin = service.origin()
    with capture_logs() as logged:
        service.serve(to(origin), overload={"max_memory_bytes": 16_777_216, "interval_ms": 10})
        service.proxy.turns_away()
    begun = [each["action"] for each in logged if each["event"] == "overload protection begins"]
    assert begun == list(ACTIONS)
    stats = service.proxy.proxy.registry.scope("overload").read()
    assert stats["memory_pressure"] > 100
    assert (stats["active_actions"], stats["entered"]) == (5, 5)
    with capture_logs() as logged:
        service.apply(to(origin), overload={"max_memory_bytes": 2**45, "interval_ms": 10})
        wait_until(lambda: service.get(b"/").status == 200, "an answer")
    assert [each["action"] for each in logged if each["event"] == "overload protection ends"] == list(ACTIONS)
    service.apply(to(origin))
    assert service.get(b"/").status == 200


def test_what_is_measured() -> None:
    before = open_descriptors()
    with Path("/dev/null").open():
        assert open_descriptors() == before + 1
    assert 2**20 < resident_bytes() < 2**40
    assert set(pressures(Overload())) == {"descriptor_pressure"}
    assert pressures(Overload(max_memory_bytes=2**24))["memory_pressure"] == pytest.approx(
        100 * resident_bytes() // 2**24, abs=20
    )


@pytest.mark.parametrize("number", [errno.EMFILE, errno.ENFILE, errno.EIO])
def test_without_a_descriptor_to_measure_with(monkeypatch: pytest.MonkeyPatch, number: int) -> None:
    """That is a measurement, too."""

    def none_left() -> int:
        raise OSError(number, "no")

    monkeypatch.setattr("mesh_core.control.overload.resident_bytes", none_left)
    settings = Overload(max_memory_bytes=2**24)
    if number == errno.EIO:
        with pytest.raises(OSError, match="no"):
            pressures(settings)
    else:
        assert pressures(settings) == {"descriptor_pressure": 100}


@pytest.mark.parametrize(
    ("percent", "active", "expected"),
    [
        (89, (), ()),
        (90, (), ("stop_keepalive", "refuse_low")),
        (94, (), ("stop_keepalive", "refuse_low")),
        (95, (), ("stop_keepalive", "refuse_low", "refuse_default")),
        (97, (), ("stop_keepalive", "refuse_low", "refuse_default", "refuse_connections")),
        (99, (), ACTIONS),
        (500, (), ACTIONS),
        (97, ACTIONS, ACTIONS),
        (96, ACTIONS, ("stop_keepalive", "refuse_low", "refuse_default", "refuse_connections")),
        (88, ACTIONS, ("stop_keepalive", "refuse_low")),
        (87, ACTIONS, ()),
    ],
)
def test_thresholds(percent: int, active: tuple[str, ...], expected: tuple[str, ...]) -> None:
    assert actions_at(Overload(), percent, frozenset(active)) == frozenset(expected)
    assert actions_at(None, percent, frozenset(active)) == frozenset()
