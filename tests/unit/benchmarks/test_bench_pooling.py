"""A proxy that does not keep its upstream connections is not measured as if it did."""

from contextlib import ExitStack
from types import SimpleNamespace

import pytest

from benchmarks.cpus import Arrangement, assign
from benchmarks.errors import BenchmarkError
from benchmarks.measure import trial as trial_module
from benchmarks.measure.trial import Trial, Window
from benchmarks.peers import Mode


@pytest.fixture
def window(monkeypatch, tmp_path):
    """Give a function that opens a window in which a proxy has made so many upstream connections."""

    def open_one(mode, accepted, programs=("proxy",)):
        found = Window(2.0, 1_000, 10_000, accepted, 0)
        monkeypatch.setattr(trial_module, "watch", lambda watched, warm_up, seconds: [found])
        one = Trial(SimpleNamespace(name="hopmesh"), mode, assign(Arrangement.ONE_CPU), seconds=2.0, connections=64,
                    stack=ExitStack(), directory=tmp_path)
        return one.window(None, SimpleNamespace(programs=programs), SimpleNamespace())

    return open_one


def test_a_few_new_connections_are_no_fault(window):
    assert window(Mode.HTTP, 164).accepted == 164


def test_many_new_connections_are_an_error(window):
    with pytest.raises(BenchmarkError, match="165 new upstream connections for 10000 requests"):
        window(Mode.HTTP, 165)


def test_a_relay_makes_one_for_each(window):
    assert window(Mode.TCP, 10_000).accepted == 10_000


def test_without_a_proxy_there_is_no_pool(window):
    assert window(Mode.HTTP, 10_000, programs=()).accepted == 10_000
