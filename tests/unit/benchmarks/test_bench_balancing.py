"""Two proxies at once: whose figure is divided by whose."""

from types import SimpleNamespace

import pytest

from benchmarks.errors import BenchmarkError
from benchmarks.measure import balancing, together
from benchmarks.measure.trial import Window


class FakeTrial:
    """Notes what is started; every load ends at once."""

    seconds, connections = 2.0, 16

    def __init__(self, peer="hopmesh"):
        self.peer = SimpleNamespace(name=peer)
        self.peers, self.loads = [], []

    def origin(self, mode, *, every_address):
        assert (mode, every_address) == ("close", True)
        return SimpleNamespace()

    def proxy(self, origin, peer):
        self.peers.append(peer)
        return SimpleNamespace(port=18000 + len(self.peers))

    def load(self, argv):
        self.loads.append(argv)
        return SimpleNamespace(wait=lambda seconds: "")


@pytest.fixture
def windows(monkeypatch):
    """Let the two proxies have used what a test says, over any time."""
    monkeypatch.setattr(balancing, "program", lambda name: name)

    def use(*cpu_ns_and_accepted):
        found = [Window(10.0, cpu_ns, 0, accepted, 0) for cpu_ns, accepted in cpu_ns_and_accepted]
        monkeypatch.setattr(together, "watch", lambda watched, warm_up, seconds: found)

    return use


def test_least_request_is_divided_by_round_robin(windows):
    windows((110_000_000, 1000), (200_000_000, 2000))
    trial = FakeTrial()
    figures = balancing.least_request(trial)
    assert figures["ratio"] == pytest.approx(1.1)
    assert (figures["cpu_us"], figures["base_cpu_us"]) == (110.0, 100.0)
    assert [peer._load_balancer for peer in trial.peers] == ["least_request", "round_robin"]
    assert [argv[:3] for argv in trial.loads] == [["connect", "18001", "16"], ["connect", "18002", "16"]]


def test_many_endpoints_are_divided_by_few(windows):
    windows((1_000_000, 10), (1_000_000, 10))
    trial = FakeTrial()
    assert balancing.many_endpoints(trial)["ratio"] == 1.0
    assert [len(set(peer._addresses)) for peer in trial.peers] == [10_000, 10]


def test_the_floor_is_spread_over_as_many_addresses(windows):
    windows((1_030_000, 10), (1_000_000, 10))
    trial = FakeTrial("floor")
    assert balancing.many_endpoints(trial)["ratio"] == pytest.approx(1.03)
    assert [peer._spread() for peer in trial.peers] == [["10000"], ["10"]]


def test_a_proxy_that_served_nobody_is_an_error(windows):
    windows((1_000_000, 10), (1_000_000, 0))
    with pytest.raises(BenchmarkError, match="served nobody"):
        balancing.least_request(FakeTrial())
