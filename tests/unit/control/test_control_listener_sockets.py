"""Listening sockets: what is opened, what goes on, what is refused, what is removed."""

from __future__ import annotations

import contextlib
import os
import socket
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from mesh_core.config import Config, ConfigError, load_builtins
from mesh_core.control.listener_sockets import ListenerSocket, ListenerSockets


def config_of(*listeners: dict[str, Any]) -> Config:
    each = [{"name": f"l{index}", "cluster": "app", **fields} for index, fields in enumerate(listeners)]
    return load_builtins({"listeners": each, "clusters": [{"name": "app", "endpoints": []}]})


def take(sockets: ListenerSockets, config: Config) -> dict[str, ListenerSocket]:
    """Prepare and keep, as a proxy does; closes what is dropped."""
    chosen, _ = sockets.prepare(config, "test")
    for each in sockets.keep(config, chosen):
        each.close()
    return chosen


@pytest.fixture
def folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A folder with a short path: sun_path holds 108 bytes."""
    link = Path(f"/tmp/hm-{os.getpid()}-{tmp_path_factory.mktemp('s').name}")
    link.mkdir()
    yield link
    for each in link.iterdir():
        each.unlink()
    link.rmdir()


@pytest.fixture
def sockets() -> Iterator[ListenerSockets]:
    before = len(list(Path("/proc/self/fd").iterdir()))
    each = ListenerSockets(3)
    yield each
    each.close()
    assert len(list(Path("/proc/self/fd").iterdir())) == before


def accepts(address: tuple[str, int] | str) -> bool:
    family = socket.AF_UNIX if isinstance(address, str) else socket.AF_INET
    with socket.socket(family) as client:
        try:
            client.connect(address)
        except OSError:
            return False
        return True


def test_each_worker_has_its_own_ip_socket(sockets: ListenerSockets) -> None:
    chosen = take(sockets, config_of({"address": "127.0.0.1:0"}, {"address": "[::1]:0"}))
    for each in chosen.values():
        assert len({one for (one,) in each.descriptors}) == 3
        assert each.bound.port > 0
        assert {one.getsockname()[1] for one in each.sockets} == {each.bound.port}
        for one in each.sockets:
            assert not one.getblocking()
            assert one.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN)
            assert one.getsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT)
            assert one.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
    assert len({each.id for each in chosen.values()}) == 2
    assert accepts(("127.0.0.1", chosen["l0"].bound.port))


def test_connections_are_spread_over_the_workers(sockets: ListenerSockets) -> None:
    each = take(sockets, config_of({"address": "127.0.0.1:0"}))["l0"]
    with contextlib.ExitStack() as stack:
        for _ in range(60):
            stack.enter_context(socket.create_connection(("127.0.0.1", each.bound.port)))
        counts = []
        for one in each.sockets:
            counts.append(0)
            with contextlib.suppress(BlockingIOError):
                while True:
                    one.accept()[0].close()
                    counts[-1] += 1
    assert sum(counts) == 60
    assert all(counts)


def test_a_unix_socket_is_shared(sockets: ListenerSockets, folder: Path) -> None:
    path = folder / "in.sock"
    each = take(sockets, config_of({"address": f"unix:{path}", "unix_mode": "0620"}))["l0"]
    assert each.descriptors == [[each.sockets[0].fileno()]] * 3
    assert stat.S_IMODE(path.stat().st_mode) == 0o620
    assert accepts(str(path))
    sockets.close()
    assert not path.exists()


def test_an_abstract_socket(sockets: ListenerSockets) -> None:
    name = f"hopmesh-test-{os.getpid()}".ljust(107, "n")
    take(sockets, config_of({"address": f"unix:@{name}"}))
    assert accepts(f"\0{name}")


def test_what_is_the_same_goes_on(sockets: ListenerSockets, folder: Path) -> None:
    addresses = [{"address": "127.0.0.1:0"}, {"address": f"unix:{folder}/a"}]
    first = take(sockets, config_of(*addresses))
    second, opened = sockets.prepare(config_of(*addresses, {"address": "127.0.0.1:0"}), "test")
    assert second["l0"] is first["l0"]
    assert second["l1"] is first["l1"]
    assert opened == [second["l2"]]
    for each in opened:
        each.close()


def test_what_may_change_while_it_listens(sockets: ListenerSockets, folder: Path) -> None:
    path = folder / "a"
    before = take(sockets, config_of({"address": f"unix:{path}"}))
    mode = stat.S_IMODE(path.stat().st_mode)
    after = take(sockets, config_of({"address": f"unix:{path}", "unix_mode": "0600", "backlog": 7}))
    assert after["l0"] is before["l0"]
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    take(sockets, config_of({"address": f"unix:{path}"}))
    assert stat.S_IMODE(path.stat().st_mode) == mode
    assert accepts(str(path))


def test_two_listeners_with_port_0_have_two_ports(sockets: ListenerSockets) -> None:
    chosen = take(sockets, config_of({"address": "127.0.0.1:0"}, {"address": "127.0.0.1:0"}))
    assert chosen["l0"].bound.port != chosen["l1"].bound.port


def test_what_is_gone_is_dropped(sockets: ListenerSockets, folder: Path) -> None:
    chosen = take(sockets, config_of({"address": "127.0.0.1:0"}, {"address": f"unix:{folder}/a"}))
    config = config_of()
    dropped = sockets.keep(config, {})
    assert dropped == list(chosen.values())
    # Until every worker has stopped accepting, they listen.
    assert accepts(("127.0.0.1", chosen["l0"].bound.port))
    for each in dropped:
        each.close()
    assert not accepts(("127.0.0.1", chosen["l0"].bound.port))
    assert not (folder / "a").exists()


def test_all_faults_at_once_and_nothing_left(sockets: ListenerSockets, folder: Path) -> None:
    (folder / "file").write_text("not a socket")
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        config = config_of(
            {"address": f"unix:{folder}/good"},
            {"address": f"127.0.0.1:{port}"},
            {"address": "127.0.0.1:0"},
            {"address": "192.0.2.77:1"},
            {"address": f"unix:{folder}/file"},
            {"address": f"unix:{folder}/missing/a"},
        )
        descriptors = len(list(Path("/proc/self/fd").iterdir()))
        with pytest.raises(ConfigError) as caught:
            sockets.prepare(config, "proxy.yaml")
        assert len(list(Path("/proc/self/fd").iterdir())) == descriptors
    faults = caught.value.faults
    assert [fault.path for fault in faults] == [f"listeners[{index}].address" for index in (1, 3, 4, 5)]
    assert all(fault.hint and "cannot listen on" in fault.message for fault in faults)
    assert (folder / "file").read_text() == "not a socket"
    assert not (folder / "good").exists()


def test_a_failed_change_leaves_the_old_ones(sockets: ListenerSockets) -> None:
    chosen = take(sockets, config_of({"address": "127.0.0.1:0"}))
    with pytest.raises(ConfigError):
        sockets.prepare(config_of({"address": "127.0.0.1:0"}, {"address": "192.0.2.77:1"}), "test")
    assert accepts(("127.0.0.1", chosen["l0"].bound.port))


def test_a_file_that_a_killed_process_left_is_replaced(sockets: ListenerSockets, folder: Path) -> None:
    with socket.socket(socket.AF_UNIX) as killed:
        killed.bind(str(folder / "a"))
        killed.listen()
    assert not accepts(str(folder / "a"))
    take(sockets, config_of({"address": f"unix:{folder}/a"}))
    assert accepts(str(folder / "a"))


def test_a_socket_that_somebody_listens_on_is_not_taken(sockets: ListenerSockets, folder: Path) -> None:
    path = str(folder / "a")
    with contextlib.ExitStack() as stack:
        other = stack.enter_context(socket.socket(socket.AF_UNIX))
        other.bind(path)
        other.listen(0)
        with pytest.raises(ConfigError, match="in use"):
            sockets.prepare(config_of({"address": f"unix:{path}"}), "test")
        # A process that hangs, its queue full, must not hold us up.
        for _ in range(3):
            client = stack.enter_context(socket.socket(socket.AF_UNIX))
            client.setblocking(False)
            with contextlib.suppress(BlockingIOError):
                client.connect(path)
        with pytest.raises(ConfigError, match="in use"):
            sockets.prepare(config_of({"address": f"unix:{path}"}), "test")


def test_a_file_that_has_become_somebody_elses_stays(sockets: ListenerSockets, folder: Path) -> None:
    path = folder / "a"
    chosen = take(sockets, config_of({"address": f"unix:{path}"}))
    path.rename(folder / "ours")
    with socket.socket(socket.AF_UNIX) as successor:
        successor.bind(str(path))
        successor.listen()
        chosen["l0"].close()
        sockets.close()
        assert accepts(str(path))


def test_a_port_of_another_proxy_is_not_shared(sockets: ListenerSockets) -> None:
    """SO_REUSEPORT would let two proxies of one user divide the traffic without a word."""
    port = take(sockets, config_of({"address": "127.0.0.1:0"}))["l0"].bound.port
    another = ListenerSockets(2)
    with pytest.raises(ConfigError, match="in use"):
        another.prepare(config_of({"address": f"127.0.0.1:{port}"}), "test")
    another.close()


def test_a_listener_may_move_between_names(sockets: ListenerSockets) -> None:
    port = take(sockets, config_of({"address": "127.0.0.1:0"}))["l0"].bound.port
    fixed = take(sockets, config_of({"address": f"127.0.0.1:{port}"}))
    assert fixed["l0"].bound.port == port
    assert accepts(("127.0.0.1", port))
