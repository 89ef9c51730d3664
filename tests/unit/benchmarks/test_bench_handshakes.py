"""Which handshakes count, and what is told of their tickets."""

from types import SimpleNamespace

import pytest

from benchmarks.errors import BenchmarkError
from benchmarks.measure import connect

TRIAL = SimpleNamespace(connections=16)


@pytest.fixture
def reported(monkeypatch):
    """Make the load report what a test wants."""

    def report(**counts):
        monkeypatch.setattr(connect, "_connections", lambda *_: ({"cpu_us": 900.0}, counts))

    return report


@pytest.mark.parametrize(("tickets", "each"), [(0, 0.0), (1000, 2.0)])
def test_tickets_of_full_handshakes_are_told(reported, tickets, each):
    reported(connections=500, resumed=0, tickets=tickets)
    assert connect.full_handshake(TRIAL) == {"cpu_us": 900.0, "tickets": each}


def test_each_slots_first_connection_cannot_resume(reported):
    reported(connections=500, resumed=484, tickets=900)
    assert connect.resumed_handshake(TRIAL) == {"cpu_us": 900.0, "resumed": 484, "resumed_share": 0.968}


def test_connections_that_were_not_resumed_are_an_error(reported):
    reported(connections=500, resumed=483, tickets=900)
    with pytest.raises(BenchmarkError, match="only 483 of 500"):
        connect.resumed_handshake(TRIAL)
