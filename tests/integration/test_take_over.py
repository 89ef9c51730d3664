"""One proxy goes on with the listening sockets of another: nobody who waits in a queue is lost, nobody is refused."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from mesh_core.config import ConfigError, load_builtins
from mesh_core.control.listener_sockets import ListenerSocket, ListenerSockets
from mesh_core.control.proxy import Proxy
from tests.support.addresses import Kind, free_address
from tests.support.configs import Settings, cluster, config, listener
from tests.support.peer import Origin, Peer, connect, refused
from tests.support.running_proxy import RunningProxy

Start = Callable[..., RunningProxy]
Another = Callable[[Settings, int], ListenerSocket]


def passed(old: ListenerSocket) -> ListenerSocket:
    """What another process would receive."""
    return ListenerSocket(old.id, old.key, old.bound, [each.dup() for each in old.sockets], 0, old.file)


def converse(clients: list[Peer], origin: Origin) -> None:
    """Each client is served; then it ends."""
    servers = [origin.accept() for _ in clients]
    for index, client in enumerate(clients):
        client.send(b"%04d" % index)
    assert sorted(server.receive(4) for server in servers) == [b"%04d" % index for index in range(len(clients))]
    for each in (*clients, *servers):
        each.close()


@pytest.fixture
def addresses(kind: Kind, origin: Origin, tmp_path: Path) -> tuple[str, Origin]:
    """Where to listen, in every kind of address, and an origin."""
    return free_address(kind, tmp_path), origin


@pytest.fixture
def another(no_leaks: None) -> Iterator[Another]:
    """Sockets that nobody accepts from, as of a process with so many workers."""
    with contextlib.ExitStack() as stack:

        def make(settings: Settings, workers: int) -> ListenerSocket:
            sockets = ListenerSockets(workers)
            stack.callback(sockets.close)
            taken = load_builtins(settings)
            chosen, _ = sockets.prepare(taken, "test")
            sockets.keep(taken, chosen)
            return chosen["in"]

        yield make


@pytest.mark.parametrize("workers", [(1, 1), (3, 1), (5, 2), (1, 4)])
def test_who_waits_is_served(
    workers: tuple[int, int], addresses: tuple[str, Origin], start: Start, another: Another, tmp_path: Path
) -> None:
    """Whatever socket they wait in the queue of: with fewer workers, some serve several; with more, there are more."""
    before, after = workers
    address, origin = addresses
    parts = config([listener("in", address)], [cluster([origin.address])], tmp_path)
    old = another(parts, before)
    clients = [connect(str(old.bound)) for _ in range(40)]
    proxy = start(parts | {"workers": after}, [passed(old)])
    assert proxy.address() == str(old.bound)
    converse(clients, origin)
    (mine,) = proxy.call(lambda: proxy.proxy.listener_sockets)
    assert len(mine.sockets) == (1 if address.startswith("unix:") else max(before, after))
    assert all(any(each >= 0 for each in own) for own in mine.descriptors)
    # Everybody who comes later, too.
    converse([proxy.connect() for _ in range(40)], origin)


def test_the_other_proxy_leaves(kind: Kind, origin: Origin, start: Start, tmp_path: Path) -> None:
    """Open connections stay where they are; a socket that was taken over listens on, one that was not is closed."""
    address = free_address(kind, tmp_path)
    both = [listener("in", address), listener("gone", free_address(kind, tmp_path))]
    old = start(config(both, [cluster([origin.address])], tmp_path, workers=2))
    held, gone = old.connect(), old.address("gone")
    with origin.accept() as held_server:
        sockets = old.call(lambda: old.proxy.listener_sockets)
        parts = config(both[:1], [cluster([origin.address])], tmp_path, workers=3)
        new = start(parts, [passed(each) for each in sockets])
        taken_over = new.call(new.proxy.own_sockets)
        assert taken_over == [sockets[0].id]
        # Both accept now.
        converse([connect(new.address()) for _ in range(20)], origin)
        old.wait(old.proxy.drain_listeners(taken_over))
        assert refused(gone)
        converse([connect(new.address()) for _ in range(20)], origin)
        held.send(b"still")
        assert held_server.receive(5) == b"still"
        held.close()
    old.close()
    converse([connect(new.address()) for _ in range(20)], origin)


def test_the_file_of_a_unix_socket(origin: Origin, start: Start, tmp_path: Path) -> None:
    """It stays the same when the other proxy ends; its new owner removes it."""
    path = tmp_path / "in.sock"
    parts = config([listener("in", f"unix:{path}", unix_mode="0600")], [cluster([origin.address])], tmp_path)
    old = start(parts)
    inode = path.stat().st_ino
    (socket_,) = old.call(lambda: old.proxy.listener_sockets)
    new = start(parts, [passed(socket_)])
    old.wait(old.proxy.drain_listeners(new.call(new.proxy.own_sockets)))
    old.close()
    assert path.stat().st_ino == inode
    converse([connect(f"unix:{path}")], origin)
    new.close()
    assert not path.exists()


def test_one_that_fails_leaves_everything(origin: Origin, start: Start, tmp_path: Path) -> None:
    """Also the permissions of a file, and the sockets that more workers would have had."""
    path = tmp_path / "in.sock"
    parts = [listener("in"), listener("unix", f"unix:{path}", unix_mode="0600")]
    old = start(config(parts, [cluster([origin.address])], tmp_path))
    sockets = old.call(lambda: old.proxy.listener_sockets)
    parts[1] = parts[1] | {"unix_mode": "0666"}
    with pytest.raises(ConfigError):
        start(
            config([*parts, listener("bad", "192.0.2.77:1")], [cluster([origin.address])], tmp_path, workers=4),
            [passed(each) for each in sockets],
        )
    assert path.stat().st_mode & 0o777 == 0o600
    converse([old.connect(each) for each in ("in", "unix") * 20], origin)


def test_nothing_is_accepted_before_all_is_ready(origin: Origin, start: Start, tmp_path: Path) -> None:
    """What fails at the last moment has accepted nobody, and has not begun to listen for more workers."""
    parts = config([listener()], [cluster([origin.address])], tmp_path)
    old = start(parts)
    sockets = [passed(each) for each in old.call(lambda: old.proxy.listener_sockets)]
    seen: list[tuple[int, int]] = []

    async def fails() -> None:
        seen.append((listening_on(old.address()), new.active_connections))
        raise InterruptedError("told to fail")

    async def attempt() -> None:
        new.take_over(sockets)
        await new.start(fails)

    new = Proxy(load_builtins(parts | {"workers": 4, "access_log": None}))
    with pytest.raises(InterruptedError):
        old.wait(attempt())
    assert seen == [(1, 0)]
    converse([old.connect() for _ in range(20)], origin)


def listening_on(address: str) -> int:
    """How many sockets listen on an IPv4 port of this machine."""
    port = f":{int(address.rpartition(':')[2]):04X}"
    rows = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()]
    return sum(row[1].endswith(port) and row[3] == "0A" for row in rows)
