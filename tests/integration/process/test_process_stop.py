"""SIGTERM and SIGINT: what is open finishes, nothing new comes in, and the end comes in bounded time."""

import signal
import socket
import struct
from pathlib import Path

import pytest

from tests.support.process import ProxyProcess, one_listener, running, until
from tests.support.process_traffic import ask, connect, receive_all

# Longer than any test lasts: what ends before it did not end because of it.
NEVER_MS = 600_000


def refused(address: str) -> bool:
    try:
        connect(address).close()
    except (ConnectionRefusedError, ConnectionResetError):
        # Reset: while the socket was being closed.
        return True
    return False


def drain(proxy: ProxyProcess, number: signal.Signals = signal.SIGTERM) -> None:
    proxy.signal(number)
    proxy.wait_for("draining")
    until(lambda: refused(proxy.address()), "new connections are refused")


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_what_is_open_finishes_and_nothing_new_comes_in(folder: Path, echo: str, number: signal.Signals) -> None:
    with running(folder, one_listener(echo, drain_timeout_ms=NEVER_MS)) as proxy:
        with connect(proxy.address()) as first, connect(proxy.address()) as second:
            ask(first, b"before")
            ask(second, b"before")
            drain(proxy, number)
            for each in (first, second):
                ask(each, b"while it drains")
                each.shutdown(socket.SHUT_WR)
                assert receive_all(each) == b""
        assert proxy.wait() == 0
        assert proxy.wait_for("draining")["connections"] == 2
        assert proxy.wait_for("stopped")["connections_reset"] == 0


def test_idle_it_ends_at_once(folder: Path, echo: str) -> None:
    with running(folder, one_listener(echo, drain_timeout_ms=NEVER_MS)) as proxy:
        assert proxy.stop() == 0


def test_the_limit_of_a_drain_resets_what_is_left(folder: Path, echo: str) -> None:
    with running(folder, one_listener(echo, drain_timeout_ms=300)) as proxy, connect(proxy.address()) as client:
        ask(client, b"before")
        proxy.signal(signal.SIGTERM)
        with pytest.raises(ConnectionResetError):
            client.recv(1)
        assert proxy.wait() == 0
        assert proxy.wait_for("stopped")["connections_reset"] == 1


def test_no_time_for_a_drain(folder: Path, echo: str) -> None:
    with running(folder, one_listener(echo, drain_timeout_ms=0)) as proxy, connect(proxy.address()) as client:
        ask(client, b"before")
        assert proxy.stop() == 0


@pytest.mark.parametrize("second", [signal.SIGTERM, signal.SIGINT])
def test_a_second_signal_stops_at_once(folder: Path, echo: str, second: signal.Signals) -> None:
    with running(folder, one_listener(echo, drain_timeout_ms=NEVER_MS)) as proxy:
        with connect(proxy.address()) as client:
            ask(client, b"before")
            drain(proxy)
            proxy.signal(second)
            with pytest.raises(ConnectionResetError):
                client.recv(1)
        assert proxy.wait() == 0
        assert proxy.wait_for("stopping at once")["connections"] == 1


def test_a_reload_while_it_drains_is_refused(folder: Path, echo: str) -> None:
    with running(folder, one_listener(echo, drain_timeout_ms=NEVER_MS)) as proxy:
        with connect(proxy.address()) as client:
            ask(client, b"before")
            drain(proxy)
            assert "draining" in proxy.reload(outcome="reload refused")["faults"][0]
            ask(client, b"after")
        assert proxy.wait() == 0


def test_a_reload_that_came_just_before_the_stop(folder: Path, echo: str) -> None:
    with running(folder, one_listener(echo, drain_timeout_ms=NEVER_MS)) as proxy:
        proxy.signal(signal.SIGHUP)
        proxy.signal(signal.SIGTERM)
        assert proxy.wait() == 0


def test_a_log_that_nobody_reads_any_more_cuts_no_connection(folder: Path, echo: str) -> None:
    """As under `hopmesh proxy 2>&1 | head`: the next line of the log finds a broken pipe."""
    with running(folder, one_listener(echo, drain_timeout_ms=NEVER_MS)) as proxy:
        with connect(proxy.address()) as client:
            ask(client, b"before")
            proxy.close_log()
            proxy.signal(signal.SIGHUP)
            ask(client, b"after a reload")
            proxy.signal(signal.SIGTERM)
            until(lambda: refused(proxy.address()), "new connections are refused")
            ask(client, b"while it drains")
        assert proxy.wait() == 0


def test_a_client_that_resets_in_a_drain_ends_it(folder: Path, echo: str) -> None:
    with running(folder, one_listener(echo, drain_timeout_ms=NEVER_MS)) as proxy:
        with connect(proxy.address()) as client:
            ask(client, b"before")
            drain(proxy)
            client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        assert proxy.wait() == 0
