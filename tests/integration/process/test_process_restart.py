"""Hot restart: a new process takes over, and nobody notices."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
from pathlib import Path

import pytest

from tests.support.process import ProxyProcess, call_cli, run_cli, running, until, write_config
from tests.support.process_traffic import admin, ask, connect, counters
from tests.support.restart_load import RestartLoad
from tests.support.restarts import gone, restart, restartable, restarted, runs


def test_nothing_is_refused_or_cut(folder: Path) -> None:
    """Restarts with other numbers of workers, and reloads between them, under load on two kinds of listener."""
    with RestartLoad() as load:
        parts = restartable(folder, load.origin, workers=2, drain_timeout_ms=20000)
        parts["listeners"].append({"name": "unix", "address": f"unix:{folder}/in.sock", "cluster": "app"})
        with running(folder, parts) as proxy:
            load.begin(proxy.address())
            load.begin(proxy.address("unix"))
            pids = [proxy.process.pid]
            for workers in (1, 3, 2, 2):
                proxy.reload()
                # Only a restart can change it; a reload with this would be refused.
                write_config(proxy.config, parts | {"workers": workers})
                pids.append(restarted(folder))
                assert proxy.wait_for("ready", len(pids))["workers"] == workers
            assert len(set(pids)) == 5
            seen = load.requests
            until(lambda: load.requests > seen, "traffic by way of the last one")
            load.end()
            assert not load.failures
            assert proxy.stop() == 0
            assert not any(runs(pid) for pid in pids)
        assert not list(folder.glob("*.sock"))


def test_an_open_connection_stays_with_the_old_process(folder: Path, echo: str) -> None:
    with running(folder, restartable(folder, echo, drain_timeout_ms=20000)) as proxy:
        address, admin_address = proxy.address(), proxy.admin
        with connect(address) as client:
            ask(client, b"before")
            new = restarted(folder)
            assert runs(new)
            assert new != proxy.process.pid
            assert proxy.wait_for("draining")["connections"] == 1
            ask(client, b"after")
            with connect(address) as another:
                ask(another, b"new")
                # The admin endpoint has passed on, with its port: it counts for the new process alone.
                assert counters(admin_address, "listener.in.downstream_cx_total") == {
                    "listener.in.downstream_cx_total": 1
                }
            assert admin(admin_address, "/ready").status == 200
        assert proxy.wait_for("stopped")["connections_reset"] == 0
        assert proxy.process.poll() is None


def test_signals_reach_the_process_in_charge(folder: Path, echo: str) -> None:
    """They go to the process that was started first, whose id everybody knows."""
    parts = restartable(folder, echo, access_log={"path": str(folder / "access.json")})
    with running(folder, parts) as proxy:
        proxy.signal(signal.SIGUSR2)
        first = proxy.wait_for("handed over")["pid"]
        second = restarted(folder)
        gone(first)
        assert runs(proxy.process.pid)
        parts["listeners"][0]["max_connections"] = 7
        proxy.reload(parts)
        proxy.signal(signal.SIGUSR2)
        assert proxy.wait_for("handed over", 3)["pid"] != second
        gone(second)
        (folder / "access.json").rename(folder / "rotated.json")
        proxy.signal(signal.SIGUSR1)
        until((folder / "access.json").exists, "the access log opened again")
        assert proxy.stop() == 0
        assert len(proxy.events("stopped")) == 4


def test_a_second_signal_stops_all_at_once(folder: Path, echo: str) -> None:
    """Also a process that drains from an earlier restart, which no signal goes to."""
    with running(folder, restartable(folder, echo, drain_timeout_ms=600_000)) as proxy:
        clients = []
        for count in range(1, 4):
            clients.append(connect(proxy.address()))
            ask(clients[-1], b"held")
            restarted(folder)
            proxy.wait_for("draining", count)
        clients.append(connect(proxy.address()))
        ask(clients[-1], b"held")
        proxy.signal(signal.SIGTERM)
        proxy.wait_for("draining", 4)
        proxy.signal(signal.SIGTERM)
        assert proxy.wait() == 0
        assert len(proxy.events("stopped")) == 4
        for client in clients:
            client.close()


def test_what_differs_between_the_configurations(folder: Path, echo: str) -> None:
    """The new one's listeners: those it shares go on, those it lacks are gone, others are new."""
    parts = restartable(folder, echo)
    kept, lost, new = ({"name": name, "address": f"unix:{folder}/{name}.sock", "cluster": "app"} for name in "abc")
    parts["listeners"] += [kept, lost]
    with running(folder, parts) as proxy:
        address, inode = proxy.address(), (folder / "a.sock").stat().st_ino
        write_config(proxy.config, parts | {"listeners": [parts["listeners"][0], kept, new], "admin": None})
        restarted(folder)
        proxy.wait_for("stopped")
        assert (folder / "a.sock").stat().st_ino == inode
        assert not (folder / "b.sock").exists()
        for each in (address, f"unix:{folder}/a.sock", f"unix:{folder}/c.sock"):
            with connect(each) as client:
                ask(client, b"served")
        with pytest.raises(ConnectionRefusedError):
            connect(proxy.admin)


def test_nothing_is_left_behind(folder: Path, echo: str) -> None:
    """Descriptors neither leak into a new process nor pile up in the one that stays."""
    with running(folder, restartable(folder, echo, workers=2)) as proxy:

        def open_after(count: int) -> tuple[int, int]:
            """In the first process and in the one in charge, when there have been so many restarts."""
            proxy.wait_for("stopped", count)
            return proxy.open_descriptors(), len(list(Path(f"/proc/{pid}/fd").iterdir()))

        pid = restarted(folder)
        first = open_after(1)
        pid = restarted(folder)
        second = open_after(2)
        pid = restarted(folder)
        # What still speaks of a restart may be open for a moment.
        until(lambda: open_after(3)[0] <= first[0] and open_after(3)[1] <= second[1], "as many as before")


def test_the_verb(folder: Path, echo: str) -> None:
    with running(folder, restartable(folder, echo)) as proxy:
        done = run_cli("restart", "--config", proxy.config)
        assert (done.returncode, done.stderr) == (0, "")
        assert done.stdout == f"restarted: process {proxy.wait_for('handed over')['pid']} is in charge\n"
        (folder / "restart.sock").rename(folder / "elsewhere.sock")
        done = restart(folder)
        assert done.returncode == 1
        assert "no proxy can be asked at unix:" in done.stderr
        (folder / "elsewhere.sock").rename(folder / "restart.sock")
        assert call_cli("restart").returncode == 2
        assert call_cli("restart", "--config", "x", "--address", "y").returncode == 2
        for wrong, said in (("127.0.0.1:1", "not a Unix socket"), ("nonsense", "no port in")):
            done = call_cli("restart", "--address", wrong)
            assert (done.returncode, said in done.stderr) == (1, True), done
        without = write_config(folder / "without.yaml", {})
        done = call_cli("restart", "--config", without)
        assert (done.returncode, "has no `restart`" in done.stderr) == (1, True), done


def test_who_may_ask(folder: Path, echo: str) -> None:
    """Its user and root: by the file's permissions, and by who really asks."""
    if os.geteuid() != 0:
        pytest.skip("only root can be somebody else")
    path = folder / "restart.sock"
    with running(folder, restartable(folder, echo)) as proxy:
        assert path.stat().st_mode & 0o777 == 0o600
        path.chmod(0o666)
        with socket.socket(socket.AF_UNIX) as client:
            client.settimeout(20)
            os.seteuid(65534)
            try:
                client.connect(str(path))
            finally:
                os.seteuid(0)
            # It may have been answered, and left, for who it is alone.
            with contextlib.suppress(BrokenPipeError):
                client.sendall(b"restart\n")
            assert b"only the user of the proxy" in client.recv(1000)
        assert not proxy.events("restarting")


@pytest.mark.parametrize("sent", [b"restore\n", b"", b"restart", b"x" * 100_000])
def test_nonsense_at_the_restart_socket(sent: bytes, folder: Path, echo: str) -> None:
    with running(folder, restartable(folder, echo)) as proxy:
        with connect(f"unix:{folder}/restart.sock") as client:
            client.sendall(sent)
            client.shutdown(socket.SHUT_WR)
            with contextlib.suppress(ConnectionResetError):
                assert b'"ok":true' not in client.recv(1000)
        assert not proxy.events("restarting")
        restarted(folder)


def test_the_restart_socket_changes_with_a_reload(folder: Path, echo: str) -> None:
    parts = restartable(folder, echo)
    with running(folder, parts) as proxy:
        proxy.reload(parts | {"restart": None})
        until(lambda: not (folder / "restart.sock").exists(), "the restart socket gone")
        proxy.reload(parts)
        restarted(folder)


def children(pid: int) -> list[int]:
    """The processes that one has started or adopted, zombies too."""
    return [int(each) for each in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def test_as_process_1(folder: Path, echo: str) -> None:
    """As in a container: its process 1 stays, and what it adopts is not left as a zombie."""
    if os.geteuid() != 0:
        pytest.skip("only root may make a process namespace")
    config = write_config(folder / "proxy.yaml", restartable(folder, echo))
    # `exec` in a shell that is process 1 makes the proxy that; the orphan ends when it is process 1's already.
    script = '(sleep 0.2 & exec sleep 0.1) & exec "$@"'
    under = ["unshare", "--fork", "--pid", "--mount-proc", "--kill-child", "sh", "-c", script, "sh"]
    with ProxyProcess(config, under=under) as proxy:
        until(lambda: proxy.events("ready") or proxy.process.poll() is not None, "ready, or not allowed")
        if proxy.process.poll() is not None:
            pytest.skip(f"no process namespace here: {proxy.log}")
        (first,) = children(proxy.process.pid)
        for count in (1, 2):
            restarted(folder)
            proxy.wait_for("stopped", count)
        with connect(proxy.address()) as client:
            ask(client, b"served")
        until(lambda: len(children(first)) == 1, "one child: the process in charge")
        os.kill(first, signal.SIGHUP)
        proxy.wait_for("reloaded")
        os.kill(first, signal.SIGTERM)
        assert proxy.wait() == 0
        assert len(proxy.events("stopped")) == 3
