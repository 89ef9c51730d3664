"""What being prepared costs: the same load against a proxy with every policy and against one with none."""

from types import SimpleNamespace

import pytest

from benchmarks.measure import policies
from benchmarks.peers.base import Mode, Plan
from benchmarks.peers.hopmesh import Hopmesh, HopmeshPolicies
from benchmarks.peers.policies import CLUSTER, LISTENER_HTTP, PROCESS, ROUTE
from mesh_core.config.load import load_file


def config(peer, directory):
    plan = Plan(Mode.HTTP, 18001, 18002, directory)
    (launch,) = peer.launches(plan)
    ((name, text),) = launch.files.items()
    path = directory / name
    path.write_text(text)
    return load_file(path)


def test_everything_is_divided_by_nothing(monkeypatch, tmp_path):
    calls = []
    monkeypatch.setattr(policies, "cost_ratio", lambda *arguments: calls.append(arguments) or {"ratio": 1.0})
    assert policies.idle_policies(SimpleNamespace(directory=tmp_path)) == {"ratio": 1.0}
    ((_, work, judged, base),) = calls
    assert (type(judged), type(base)) == (HopmeshPolicies, Hopmesh)
    assert work.origin_mode == "http"


@pytest.mark.parametrize("name", CLUSTER)
def test_the_proxy_has_the_policies_of_the_cluster(name, tmp_path):
    with_them, without = config(HopmeshPolicies(), tmp_path), config(Hopmesh(), tmp_path)
    assert getattr(with_them.clusters[0], name)
    assert getattr(with_them.clusters[0], name) != getattr(without.clusters[0], name)


@pytest.mark.parametrize("name", PROCESS)
def test_the_proxy_has_the_policies_of_the_process(name, tmp_path):
    assert getattr(config(HopmeshPolicies(), tmp_path), name)
    assert getattr(config(Hopmesh(), tmp_path), name) is None


@pytest.mark.parametrize("name", ROUTE)
def test_the_proxy_has_the_policies_of_the_route(name, tmp_path):
    (route,) = config(HopmeshPolicies(), tmp_path).listeners[0].routes
    assert getattr(route, name)


@pytest.mark.parametrize("name", LISTENER_HTTP)
def test_the_proxy_has_the_policies_of_the_listener(name, tmp_path):
    http = config(HopmeshPolicies(), tmp_path).listeners[0].http
    assert getattr(http, name) != getattr(type(http)(), name)
