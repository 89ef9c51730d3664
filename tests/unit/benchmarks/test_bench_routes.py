"""Which requests a large route table gets."""

import math
from types import SimpleNamespace

import pytest

from benchmarks.measure import routes
from benchmarks.peers.hopmesh import Hopmesh, HopmeshRoutes, route_host, route_path


@pytest.fixture
def compared(monkeypatch, tmp_path):
    """Run the measurement without a proxy; give what was compared with what, and the trial."""
    calls = []
    monkeypatch.setattr(routes, "cost_ratio", lambda *arguments: calls.append(arguments) or {"ratio": 1.0})
    trial = SimpleNamespace(directory=tmp_path)
    assert routes.many_routes(trial) == {"ratio": 1.0}
    ((_, work, judged, base),) = calls
    return SimpleNamespace(work=work, judged=judged, base=base, trial=trial)


def test_the_large_table_is_divided_by_the_small_one(compared):
    assert type(compared.judged) is HopmeshRoutes
    assert type(compared.base) is Hopmesh


def test_every_route_is_asked_for_once_in_a_turn(compared):
    lines = (compared.trial.directory / "requests").read_text().splitlines()
    assert sorted(lines) == sorted(f"{route_host(host)} {route_path(route)}"
                                   for host in range(1_000) for route in range(10))


def test_the_stride_reaches_every_route():
    assert math.gcd(routes._STRIDE, routes._VIRTUAL_HOSTS * routes._ROUTES) == 1


def test_both_get_the_same_requests(compared, monkeypatch):
    checked, started = [], []
    monkeypatch.setattr(routes, "check_answer", lambda *arguments: checked.append(arguments))
    monkeypatch.setattr(routes, "start_wrk", lambda *arguments, **options: started.append(options))
    compared.work.start(compared.trial, SimpleNamespace(port=18001), 2.0)
    assert {port for port, _, _ in checked} == {18001}
    assert started[0]["arguments"] == [str(compared.trial.directory / "requests")]
    assert started[0]["script"].name == "requests.lua"
