"""A new configuration: who goes on with the old one, who gets the new one, and what a bad one changes (nothing)."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from mesh_core.config import ConfigError, load_builtins
from tests.support.addresses import free_address
from tests.support.configs import Settings, cluster, config, listener
from tests.support.peer import Origin, connect, refused
from tests.support.running_proxy import RunningProxy
from tests.support.waiting import LIMIT_S, wait_until

Start = Callable[[Settings], RunningProxy]


def test_new_connections_go_to_the_new_cluster(start: Start, tmp_path: Path) -> None:
    """An open connection stays where it is, and holds its snapshot until it ends."""
    with Origin() as old, Origin() as new:
        proxy = start(config([listener()], [cluster([old.address])], tmp_path))
        address = proxy.address()
        first = proxy.connect()
        with old.accept() as first_server:
            proxy.apply(config([listener(cluster="b")], [cluster([new.address], "b")], tmp_path))
            assert proxy.address() == address
            with proxy.connect() as second, new.accept() as second_server:
                for client, server in ((first, first_server), (second, second_server)):
                    client.send(b"ping")
                    assert server.receive(4) == b"ping"
                    server.send(b"pong")
                    assert client.receive(4) == b"pong"
            old.expect_nobody()
            assert len(proxy.proxy._publisher.snapshots) == 2
        first.close()
        wait_until(lambda: len(proxy.proxy._publisher.snapshots) == 1, "the old snapshot retired")
        records = proxy.records(2)
        assert {record["upstream_cluster"]: record["upstream_host"] for record in records} == {
            "app": old.address,
            "b": new.address,
        }


def test_statistics_survive(start: Start, origin: Origin, tmp_path: Path) -> None:
    """Counts of what stays go on; the series of what is gone go."""
    stays = config([listener()], [cluster([origin.address])], tmp_path)
    proxy = start(config([listener(), listener("gone")], [cluster([origin.address])], tmp_path))
    for _ in range(3):
        with proxy.connect(), origin.accept():
            pass
        proxy.apply(stays)
    proxy.wait_for_stat(3, "downstream_cx_total", "listener", "in")
    proxy.wait_for_connections(0)
    assert [scope.labels for scope in proxy.call(lambda: proxy.proxy.registry.scopes("listener"))] == [("in",)]


def test_removed_listener(start: Start, kind: str, origin: Origin, tmp_path: Path) -> None:
    """It serves who is in its queue, then is gone; the other listener notices nothing."""
    parts = [listener("stays"), listener("goes", free_address(kind, tmp_path))]
    proxy = start(config(parts, [cluster([origin.address])], tmp_path))
    gone = proxy.address("goes")
    with proxy.held():
        clients = [connect(gone) for _ in range(30)]
        applied = proxy.start(
            proxy.proxy.apply(load_builtins(config(parts[:1], [cluster([origin.address])], tmp_path)))
        )
    applied.result(LIMIT_S)
    assert refused(gone)
    servers = [origin.accept() for _ in clients]
    for client in clients:
        client.send(b"served")
    for server in servers:
        assert server.receive(6) == b"served"
    for each in (*clients, *servers):
        each.close()
    with proxy.connect("stays") as client, origin.accept() as server:
        client.send(b"fine")
        assert server.receive(4) == b"fine"


def test_added_listener(start: Start, kind: str, origin: Origin, tmp_path: Path) -> None:
    """It serves as soon as `apply` has returned, in every worker."""
    parts = [listener(), listener("new", free_address(kind, tmp_path))]
    proxy = start(config(parts[:1], [cluster([origin.address])], tmp_path, workers=2))
    proxy.apply(config(parts, [cluster([origin.address])], tmp_path, workers=2))
    for _ in range(20):
        with proxy.connect("new") as client, origin.accept() as server:
            client.send(b"fine")
            assert server.receive(4) == b"fine"


def test_settings_of_a_socket_change_while_it_is_used(start: Start, origin: Origin, tmp_path: Path) -> None:
    """Another backlog, or other permissions, cost nobody a connection."""
    address = f"unix:{tmp_path / 'in'}"
    clusters = [cluster([origin.address])]
    proxy = start(config([listener(address=address)], clusters, tmp_path))
    with proxy.held():
        client = connect(address)
        changed = config([listener(address=address, backlog=7, unix_mode="0600")], clusters, tmp_path)
        applied = proxy.start(proxy.proxy.apply(load_builtins(changed)))
    applied.result(LIMIT_S)
    assert (tmp_path / "in").stat().st_mode & 0o777 == 0o600
    with client, origin.accept() as server:
        client.send(b"fine")
        assert server.receive(4) == b"fine"
    origin.expect_nobody()


@pytest.mark.parametrize("workers", [1, 2])
def test_bad_configuration_changes_nothing(start: Start, tmp_path: Path, workers: int) -> None:
    """Every address that cannot be bound is told, and nothing that could be is kept."""
    with Origin() as old, Origin() as new, Origin() as taken, Origin(f"unix:{tmp_path / 'taken'}") as taken_unix:
        proxy = start(config([listener()], [cluster([old.address])], tmp_path, workers=workers))
        version = proxy.proxy.snapshot_version
        bad = config(
            [
                listener(cluster="b"),
                listener("free", f"unix:{tmp_path / 'free'}", "b"),
                listener("taken", taken.address, "b"),
                listener("taken-unix", taken_unix.address, "b"),
            ],
            [cluster([new.address], "b")],
            tmp_path,
            workers=workers,
        )
        with pytest.raises(ConfigError) as caught:
            proxy.apply(bad)
        assert [fault.path for fault in caught.value.faults] == ["listeners[2].address", "listeners[3].address"]
        assert re.search("in use", caught.value.faults[0].message)
        assert proxy.proxy.snapshot_version == version
        assert list(proxy.proxy.listener_addresses) == ["in"]
        assert not (tmp_path / "free").exists()
        assert (tmp_path / "taken").exists()
        with proxy.connect() as client, old.accept() as server:
            client.send(b"fine")
            assert server.receive(4) == b"fine"
        new.expect_nobody()


def test_bad_access_log_changes_nothing(start: Start, origin: Origin, tmp_path: Path) -> None:
    """A log that cannot be opened is a fault as well, and the listener that came with it is closed again."""
    proxy = start(config([listener()], [cluster([origin.address])], tmp_path))
    bad = config(
        [listener(), listener("more", f"unix:{tmp_path / 'more'}")],
        [cluster([origin.address])],
        tmp_path,
        access_log={"path": str(tmp_path / "no" / "where")},
    )
    with pytest.raises(ConfigError) as caught:
        proxy.apply(bad)
    assert [fault.path for fault in caught.value.faults] == ["access_log.path"]
    assert not (tmp_path / "more").exists()
    with proxy.connect(), origin.accept():
        pass


def test_number_of_workers_is_fixed(start: Start, origin: Origin, tmp_path: Path) -> None:
    """It cannot change while the proxy runs, and that is said."""
    parts = [listener()], [cluster([origin.address])]
    proxy = start(config(*parts, tmp_path))
    with pytest.raises(ConfigError) as caught:
        proxy.apply(config(*parts, tmp_path, workers=2))
    assert [fault.path for fault in caught.value.faults] == ["workers"]


def test_start_that_fails_leaves_nothing(mounting: str, tmp_path: Path) -> None:
    """A proxy that cannot bind closes what it had opened."""
    with Origin() as taken:
        bad = config(
            [listener("free", f"unix:{tmp_path / 'free'}"), listener("taken", taken.address)], [cluster([])], tmp_path
        )
        with pytest.raises(ConfigError):
            RunningProxy(bad, mounting)
    assert not (tmp_path / "free").exists()


def test_two_proxies_do_not_share_a_port(start: Start, origin: Origin, tmp_path: Path) -> None:
    """SO_REUSEPORT is for the workers of one proxy, not for a second proxy by mistake."""
    first = start(config([listener()], [cluster([origin.address])], tmp_path, workers=2))
    with pytest.raises(ConfigError):
        start(config([listener(address=first.address())], [cluster([origin.address])], tmp_path, workers=2))
