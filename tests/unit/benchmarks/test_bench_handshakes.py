"""Which handshakes count: full ones without tickets, resumed ones that were."""

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


def test_a_full_handshake_without_tickets_counts(reported):
    reported(connections=500, resumed=0, tickets=0)
    assert connect.full_handshake(TRIAL) == {"cpu_us": 900.0}


def test_full_handshakes_with_tickets_are_refused(reported):
    reported(connections=500, resumed=0, tickets=1000)
    with pytest.raises(BenchmarkError, match="1000 session tickets"):
        connect.full_handshake(TRIAL)


def test_each_slots_first_connection_cannot_resume(reported):
    reported(connections=500, resumed=484, tickets=900)
    assert connect.resumed_handshake(TRIAL) == {"cpu_us": 900.0, "resumed": 484, "resumed_share": 0.968}


def test_connections_that_were_not_resumed_are_an_error(reported):
    reported(connections=500, resumed=483, tickets=900)
    with pytest.raises(BenchmarkError, match="only 483 of 500"):
        connect.resumed_handshake(TRIAL)
