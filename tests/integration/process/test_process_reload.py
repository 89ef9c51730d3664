"""SIGHUP: what changes, what is refused, and that no connection notices."""

import hashlib
import json
import random
import signal
import socket
import subprocess
from pathlib import Path

import pytest

from tests.support.process import LIMIT_S, ProxyProcess, one_listener, running, stop_process, until, write_config
from tests.support.process_programs import nginx, program
from tests.support.process_traffic import admin, ask, connect, echo_origin


def with_listeners(config: dict, *names: str) -> dict:
    listeners = [{"name": name, "address": "127.0.0.1:0", "cluster": "app"} for name in names]
    return {**config, "listeners": listeners}


def test_a_download_and_open_connections_go_on_through_reloads(folder: Path) -> None:
    content = random.Random(5).randbytes(8_000_000)
    with nginx(folder) as origin, echo_origin() as echo:
        (folder / "www/large").write_bytes(content)
        config = one_listener(origin)
        config["listeners"].append({"name": "echo", "address": "127.0.0.1:0", "cluster": "echo"})
        config["clusters"].append({"name": "echo", "endpoints": [echo]})
        with running(folder, config) as proxy, connect(proxy.address("echo")) as open_connection:
            url = f"http://{proxy.address()}/slow/large"
            command = [program("curl"), "-sS", "--fail", "--max-time", "60", "-o", folder / "got", url]
            download = subprocess.Popen(command)
            try:
                size = (folder / "got").stat
                until(lambda: (folder / "got").exists() and size().st_size > 0, "the download has begun")
                reloads = 0
                while download.poll() is None:
                    limit = 100 + reloads % 2
                    config["listeners"][0]["max_connections"] = limit
                    proxy.reload(config)
                    ask(open_connection, b"still there %d" % reloads)
                    reloads += 1
                assert download.returncode == 0
                assert reloads >= 3
            finally:
                stop_process(download)
    assert hashlib.sha256((folder / "got").read_bytes()).digest() == hashlib.sha256(content).digest()


def test_new_connections_take_the_new_cluster_and_open_ones_stay(folder: Path, echo: str) -> None:
    with echo_origin() as other, running(folder, one_listener(echo)) as proxy:
        with connect(proxy.address()) as old:
            ask(old, b"before")
            proxy.reload(one_listener(other))
            ask(old, b"after")
            with connect(proxy.address()) as new:
                ask(new, b"new")
                clusters = json.loads(admin(proxy.admin, "/clusters?format=json").body)
        assert clusters["clusters"][0]["endpoints"][0]["address"] == other
        assert clusters["clusters"][0]["endpoints"][0]["stats"]["cx_total"] == 1


def test_a_bad_file_is_refused_with_every_fault_and_the_old_one_goes_on(folder: Path, echo: str) -> None:
    config = one_listener(echo)
    with running(folder, config) as proxy:
        proxy.config.write_text("listeners:\n  - {name: in, address: nowhere, cluster: gone, color: red}\n")
        refused = proxy.reload(outcome="reload refused")
        assert refused["level"] == "error"
        faults = "\n".join(refused["faults"])
        for words in ("listeners[0].address", "listeners[0].cluster", "color", "proxy.yaml:2:"):
            assert words in faults
        assert json.loads(admin(proxy.admin, "/config_dump").body)["config"]["listeners"][0]["cluster"] == "app"
        with connect(proxy.address()) as client:
            ask(client, b"old")
        proxy.reload(config)


def test_a_file_that_is_gone_is_refused(folder: Path, echo: str) -> None:
    with running(folder, one_listener(echo)) as proxy:
        proxy.config.unlink()
        assert "cannot be read" in proxy.reload(outcome="reload refused")["faults"][0]
        with connect(proxy.address()) as client:
            ask(client, b"old")


def test_a_listener_comes_and_goes(folder: Path, echo: str) -> None:
    config = one_listener(echo)
    with running(folder, with_listeners(config, "in")) as proxy:
        kept = proxy.address("in")
        proxy.reload(with_listeners(config, "in", "second"))
        assert proxy.address("in") == kept
        second = proxy.address("second")
        with connect(second) as client:
            ask(client, b"second")
            proxy.reload(with_listeners(config, "in"))
            # What it accepted goes on; it accepts no more.
            ask(client, b"still")
            with pytest.raises(ConnectionRefusedError):
                connect(second)
        with connect(kept) as client:
            ask(client, b"first")


def test_another_number_of_workers_is_refused(folder: Path, echo: str) -> None:
    with running(folder, one_listener(echo)) as proxy:
        refused = proxy.reload(one_listener(echo, workers=2), outcome="reload refused")
        assert "workers" in refused["faults"][0] and "restart" in refused["faults"][0]


def test_a_port_that_is_taken_refuses_the_reload_whole(folder: Path, echo: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken, running(folder, one_listener(echo)) as proxy:
        config = with_listeners(one_listener(echo), "in", "new")
        config["listeners"][1]["address"] = f"127.0.0.1:{taken.getsockname()[1]}"
        before = proxy.open_descriptors()
        assert "cannot listen" in proxy.reload(config, outcome="reload refused")["faults"][0]
        assert admin(proxy.admin, "/listeners").text == f"in::{proxy.address()}\n"
        until(lambda: proxy.open_descriptors() == before, "what was opened is closed again")


def test_the_admin_endpoint_moves(folder: Path, echo: str) -> None:
    with running(folder, one_listener(echo)) as proxy:
        old = proxy.admin
        unix = f"unix:{folder}/admin.sock"
        proxy.reload(one_listener(echo, admin={"address": unix}))
        proxy.wait_for("admin listening", address=unix)
        assert admin(unix, "/ready").status == 200
        assert (folder / "admin.sock").stat().st_mode & 0o777 == 0o600
        with pytest.raises(ConnectionRefusedError):
            connect(old)
        proxy.reload(one_listener(echo, admin=None))
        with pytest.raises(OSError):
            connect(unix)
        assert not (folder / "admin.sock").exists()


def test_an_admin_address_that_is_taken_changes_nothing(folder: Path, echo: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken, running(folder, one_listener(echo)) as proxy:
        config = with_listeners(one_listener(echo), "other")
        config["admin"] = {"address": f"127.0.0.1:{taken.getsockname()[1]}"}
        assert "admin.address" in proxy.reload(config, outcome="reload refused")["faults"][0]
        # Refused means whole: neither the listeners nor the admin endpoint are those of the new file.
        assert admin(proxy.admin, "/listeners").text == f"in::{proxy.address('in')}\n"


@pytest.mark.parametrize("field", ["backlog", "unix_mode"])
def test_a_listening_socket_is_changed_in_place(folder: Path, echo: str, field: str) -> None:
    config = one_listener(echo, f"unix:{folder}/in.sock")
    with running(folder, config) as proxy:
        config["listeners"][0][field] = {"backlog": 7, "unix_mode": "0600"}[field]
        proxy.reload(config)
        with connect(proxy.address()) as client:
            ask(client, b"same socket")
        if field == "unix_mode":
            assert (folder / "in.sock").stat().st_mode & 0o777 == 0o600


def test_the_access_log_moves(folder: Path, echo: str) -> None:
    def record_in(name: str) -> None:
        with connect(proxy.address()) as client:
            ask(client, b"hello")
        until(lambda: (folder / name).read_bytes().count(b"\n") == 1, f"a record in {name}")

    with running(folder, one_listener(echo, access_log={"path": str(folder / "a.log")})) as proxy:
        record_in("a.log")
        proxy.reload(one_listener(echo, access_log={"path": str(folder / "b.log")}))
        record_in("b.log")
        refused = one_listener(echo, access_log={"path": str(folder / "missing/c.log")})
        assert "access_log.path" in proxy.reload(refused, outcome="reload refused")["faults"][0]
        assert (folder / "a.log").read_bytes().count(b"\n") == 1


def test_many_reloads_at_once_end_with_the_last_file(folder: Path, echo: str) -> None:
    """Each one moves the admin endpoint, which takes time in which the next signal comes."""
    with running(folder, one_listener(echo)) as proxy:
        for number in range(20):
            path = f"unix:{folder}/admin{number}.sock"
            write_config(proxy.config, one_listener(echo, admin={"address": path}))
            proxy.signal(signal.SIGHUP)
        proxy.wait_for("admin listening", address=path)
        until((folder / "admin19.sock").exists, "the last address")
        proxy.reload()
        assert not proxy.events("reload refused")
        assert admin(path, "/live", "GET").status == 200
        assert [each.name for each in folder.glob("*.sock")] == ["admin19.sock"]


@pytest.mark.parametrize("number", [signal.SIGHUP, signal.SIGUSR1, signal.SIGTERM])
def test_a_signal_that_comes_while_it_starts(folder: Path, echo: str, number: signal.Signals) -> None:
    with ProxyProcess(write_config(folder / "proxy.yaml", one_listener(echo))) as proxy:
        # Told before the listeners are, and long before "ready".
        proxy.wait_for("admin listening")
        proxy.signal(number)
        proxy.wait_for({signal.SIGHUP: "reloaded", signal.SIGTERM: "stopped"}.get(number, "ready"))
        if number != signal.SIGTERM:
            with connect(proxy.address()) as client:
                ask(client, b"hello")
            proxy.signal(signal.SIGTERM)
        assert proxy.wait() == 0


def test_reloads_leak_no_descriptor(folder: Path, echo: str) -> None:
    first = with_listeners(one_listener(echo, access_log={"path": str(folder / "a.log")}), "in")
    other = with_listeners(one_listener(echo, access_log={"path": str(folder / "b.log")}), "in", "more")
    with running(folder, first) as proxy:
        proxy.reload(other)
        proxy.reload(first)
        before = proxy.open_descriptors()
        for _ in range(5):
            proxy.reload(other)
            proxy.reload(first)
        until(lambda: proxy.open_descriptors() == before, "as many descriptors as before", LIMIT_S)
