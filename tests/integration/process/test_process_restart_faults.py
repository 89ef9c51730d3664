"""Hot restarts that fail, at any moment: somebody is always in charge, or the end is told."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.process import ProxyProcess, running, until, write_config
from tests.support.process_traffic import admin, ask, connect
from tests.support.restart_load import RestartLoad
from tests.support.restarts import gone, outcome, plan, planned, restart, restartable, restarted, runs

OTHER = {"name": "other", "endpoints": []}


@pytest.fixture
def proxy(folder: Path, echo: str) -> Iterator[ProxyProcess]:
    """A proxy whose successors do what `plan` says."""
    parts = restartable(folder, echo)
    with ProxyProcess(write_config(folder / "proxy.yaml", parts), environment=planned(folder)) as started:
        started.wait_for("ready")
        yield started


def impatient(folder: Path, upstream: str) -> dict[str, Any]:
    """The configuration of a proxy that waits for a new process for a second only."""
    parts = restartable(folder, upstream)
    parts["restart"]["timeout_ms"] = 1000
    return parts


def serves(proxy: ProxyProcess) -> None:
    """Traffic goes through, and signals are heard."""
    with connect(proxy.address()) as client:
        ask(client, b"served")
    proxy.reload()


def test_a_bad_configuration(folder: Path, echo: str) -> None:
    parts = restartable(folder, echo)
    with running(folder, parts) as proxy:
        bad = parts | {"listeners": [parts["listeners"][0] | {"cluster": "none"}]}
        write_config(proxy.config, bad)
        done = restart(folder)
        assert done.returncode == 1
        assert 'listeners[0].cluster: no cluster "none"' in done.stderr
        assert 'no cluster "none"' in outcome(proxy)
        write_config(proxy.config, parts)
        serves(proxy)
        restarted(folder)


def test_an_address_that_is_taken(folder: Path, echo: str) -> None:
    """Found out by the new process after it has taken over the other sockets."""
    parts = restartable(folder, echo)
    with running(folder, parts) as proxy:
        inode = (folder / "restart.sock").stat().st_ino
        taken = {"name": "taken", "address": echo, "cluster": "other"}
        more = {"listeners": [*parts["listeners"], taken], "clusters": [*parts["clusters"], OTHER], "workers": 4}
        write_config(proxy.config, parts | more)
        done = restart(folder)
        assert (done.returncode, f"cannot listen on {echo}" in done.stderr) == (1, True), done
        assert (folder / "restart.sock").stat().st_ino == inode
        write_config(proxy.config, parts)
        serves(proxy)
        restarted(folder)


@pytest.mark.parametrize(
    ("what", "reason"),
    [
        ("crash", "ended with status 134"),
        ("hang", "was not ready within 1000 ms"),
        ("crash after go", "ended with status 7"),
    ],
)
def test_a_new_process_that_fails(proxy: ProxyProcess, folder: Path, echo: str, what: str, reason: str) -> None:
    """Under load: whoever had come to it can be cut only by one that has accepted, after "go"."""
    if what == "hang":
        proxy.reload(impatient(folder, echo))
    plan(folder, what)
    done = restart_by_api(folder)
    assert reason in done
    assert reason in outcome(proxy)
    gone(int(proxy.wait_for("restarting")["pid"]))
    plan(folder, "")
    proxy.reload(restartable(folder, echo))
    serves(proxy)
    restarted(folder)
    proxy.wait_for("stopped")
    serves(proxy)
    assert proxy.stop() == 0


def restart_by_api(folder: Path) -> str:
    """Ask for a restart without starting a Python that would do as planned; what is answered."""
    with connect(f"unix:{folder}/restart.sock") as client:
        client.sendall(b"restart\n")
        return client.recv(100_000).decode()


def test_failures_under_load(folder: Path) -> None:
    with RestartLoad() as load:
        parts = restartable(folder, load.origin)
        with ProxyProcess(write_config(folder / "proxy.yaml", parts), environment=planned(folder)) as proxy:
            proxy.wait_for("ready")
            load.begin(proxy.address())
            plan(folder, "crash")
            for count in range(1, 4):
                assert '"ok":false' in restart_by_api(folder)
                proxy.wait_for("restart failed", count)
            load.end()
            assert load.requests > 0
            assert not load.failures
            plan(folder, "")
            assert proxy.stop() == 0


def test_a_stop_while_a_new_process_starts(proxy: ProxyProcess, folder: Path) -> None:
    plan(folder, "hang")
    with connect(f"unix:{folder}/restart.sock") as client:
        client.sendall(b"restart\n")
        new = int(proxy.wait_for("restarting")["pid"])
        assert proxy.stop() == 0
        assert b"the proxy is draining" in client.recv(10_000)
    assert not runs(new)


def test_two_at_once(proxy: ProxyProcess, folder: Path) -> None:
    """The second is refused; and a reload that is asked for meanwhile happens afterwards."""
    plan(folder, "hang")
    with connect(f"unix:{folder}/restart.sock") as client:
        client.sendall(b"restart\n")
        new = int(proxy.wait_for("restarting")["pid"])
        assert "another restart is under way" in restart_by_api(folder)
        proxy.signal(signal.SIGHUP)
        os.kill(new, signal.SIGKILL)
        assert b"ended with status 137" in client.recv(10_000)
    proxy.wait_for("reloaded")


def test_a_reload_meanwhile_is_for_the_new_process(folder: Path, echo: str) -> None:
    parts = restartable(folder, echo)
    with running(folder, parts) as proxy:
        with connect(f"unix:{folder}/restart.sock") as client:
            client.sendall(b"restart\n")
            proxy.wait_for("restarting")
            proxy.signal(signal.SIGHUP)
            assert b'"ok":true' in client.recv(10_000)
        proxy.wait_for("reloaded")
        handed_over = proxy.log.index('"handed over"')
        assert proxy.log.index('"reloaded"') > handed_over


def test_a_restart_while_draining(folder: Path, echo: str) -> None:
    with running(folder, restartable(folder, echo)) as proxy, connect(proxy.address()) as client:
        ask(client, b"held")
        proxy.signal(signal.SIGTERM)
        proxy.wait_for("draining")
        done = restart(folder)
        assert (done.returncode, "the proxy is draining" in done.stderr) == (1, True), done


def test_too_many_that_drain(folder: Path, echo: str) -> None:
    """Each has memory of its own, so there is a bound; when one has ended, another may begin."""
    with running(folder, restartable(folder, echo, drain_timeout_ms=600_000)) as proxy:
        clients = []
        for _ in range(8):
            clients.append(connect(proxy.address()))
            ask(clients[-1], b"held")
            restarted(folder)
        done = restart(folder)
        assert (done.returncode, "8 processes of earlier restarts drain" in done.stderr) == (1, True), done
        for client in clients:
            client.close()
        proxy.wait_for("stopped", 8)
        until(lambda: restart(folder).returncode == 0, "a restart")


def test_the_process_in_charge_crashes(folder: Path, echo: str) -> None:
    """The first process ends with its status, so that whoever watches it starts anew; also while it drains itself."""
    parts = restartable(folder, echo, drain_timeout_ms=600_000)
    with running(folder, parts) as proxy, connect(proxy.address()) as client:
        ask(client, b"held")
        os.kill(restarted(folder), signal.SIGKILL)
        assert proxy.wait() == 128 + signal.SIGKILL
        assert proxy.wait_for("the process in charge has ended by itself")["status"] == 137


def test_the_first_process_is_killed(folder: Path, echo: str) -> None:
    """Whoever kills it means the whole: the process in charge drains and ends."""
    with ProxyProcess(write_config(folder / "proxy.yaml", restartable(folder, echo))) as proxy:
        proxy.wait_for("ready")
        new = restarted(folder)
        proxy.wait_for("stopped")
        proxy.process.kill()
        proxy.wait()
        gone(new)
        assert not (folder / "restart.sock").exists()


def test_the_old_process_is_killed_before_it_is_taken_over_from(proxy: ProxyProcess, folder: Path) -> None:
    """The new one does not take over on its own account: whoever watches the old one starts it anew."""
    proxy.signal(signal.SIGUSR2)
    new = int(proxy.wait_for("restarting")["pid"])
    proxy.signal(signal.SIGSTOP)
    proxy.process.kill()
    proxy.wait()
    gone(new)
    assert "the process before this one ended" in proxy.log


@pytest.mark.parametrize("value", ["", "x", "0", "99", "-1"])
def test_an_environment_that_says_what_is_not_so(value: str, folder: Path, echo: str) -> None:
    config = write_config(folder / "proxy.yaml", restartable(folder, echo))
    with ProxyProcess(config, environment={"HOPMESH_HOT_RESTART": value}) as proxy:
        assert proxy.wait() == 1
        assert "is not set by a hot restart: unset it" in proxy.log


def test_listeners_that_are_drained_while_a_new_process_starts(proxy: ProxyProcess, folder: Path) -> None:
    """The admin endpoint can ask for it at any moment: there is nothing to take over then."""
    plan(folder, "hang")
    with connect(f"unix:{folder}/restart.sock") as client:
        client.sendall(b"restart\n")
        new = int(proxy.wait_for("restarting")["pid"])
        assert admin(proxy.admin, "/drain_listeners", "POST").status == 200
        os.kill(new, signal.SIGKILL)
        assert b"the proxy is draining" in client.recv(10_000)
    with pytest.raises(ConnectionRefusedError):
        connect(proxy.address())
    assert "the proxy is draining" in restart_by_api(folder)
    assert proxy.stop() == 0
