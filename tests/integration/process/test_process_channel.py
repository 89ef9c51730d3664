"""A proxy and its control plane: updates, refusals, and life without one."""

from __future__ import annotations

import signal
import socket
from pathlib import Path

import pytest

from tests.support.channel_server import RunningChannelServer
from tests.support.process import ProxyProcess, running, until, write_config
from tests.support.process_traffic import ask, connect, echo_origin
from tests.support.pushed import pushed, settings, talks


def free_address() -> str:
    """An address that a listener may be given twice, because nobody else is told to use it."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return f"127.0.0.1:{taken.getsockname()[1]}"


def test_what_is_pushed_is_served_and_changed(folder: Path, channel: RunningChannelServer, echo: str) -> None:
    first = channel.push(pushed(echo))
    with running(folder, settings(channel.address)) as proxy:
        channel.wait_acked("cart-1", first)
        with connect(proxy.address()) as open_connection, echo_origin() as other:
            ask(open_connection, b"before")
            channel.wait_acked("cart-1", channel.push(pushed(other)))
            ask(open_connection, b"still there")
            talks(proxy)
        # The endpoint alone went over the channel.
        session = channel.session("cart-1")
        assert session.delivery.in_sync
        assert proxy.process.poll() is None


def test_a_refused_update_changes_nothing_and_the_next_good_one_applies(
    folder: Path, channel: RunningChannelServer, echo: str
) -> None:
    channel.push(pushed(echo))
    with running(folder, settings(channel.address)) as proxy:
        talks(proxy)
        poisoned = {**pushed(echo), ("cluster", "bad"): {"name": "bad", "mood": 1}}
        poisoned["listener", "out"] = {"name": "out", "address": "127.0.0.1:0", "cluster": "nowhere"}
        channel.push(poisoned)
        faults = "\n".join(channel.wait_refused("cart-1"))
        assert "cluster bad: mood: unknown key" in faults
        assert "listener out: cluster:" in faults
        talks(proxy)
        with echo_origin() as other:
            channel.wait_acked("cart-1", channel.push(pushed(other)))
            assert channel.session("cart-1").delivery.refused == ()
            talks(proxy)


def test_it_serves_without_its_control_plane_and_starts_without_it(folder: Path, echo: str) -> None:
    address = f"unix:{folder}/channel.sock"
    listen = free_address()
    with RunningChannelServer(address) as server:
        version = server.push(pushed(echo, listen))
        with running(folder, settings(address, folder)) as proxy:
            server.wait_acked("cart-1", version)
            server.close()
            talks(proxy)
            proxy.wait_for("control plane lost")
            talks(proxy)
            until((folder / "cart.state").exists, "the last good configuration is on disk")
    with ProxyProcess(write_config(folder / "proxy.yaml", settings(address, folder))) as again:
        again.wait_for("ready")
        again.wait_for("no control plane")
        talks(again)
        with RunningChannelServer(address) as server:
            # It has all of it, and is sent nothing.
            version = server.push(pushed(echo, listen))
            server.wait_acked("cart-1", version)
            assert server.server.frames.encoded == 0
            talks(again)
    with pytest.raises(OSError):
        connect(listen)


def test_what_stands_on_disk_is_no_last_good_configuration(
    folder: Path, channel: RunningChannelServer, echo: str
) -> None:
    (folder / "cart.state").write_bytes(b"rubbish")
    version = channel.push(pushed(echo))
    with running(folder, settings(channel.address, folder)) as proxy:
        proxy.wait_for("last good configuration not used")
        channel.wait_acked("cart-1", version)
        talks(proxy)


def test_a_workload_leaves_before_it_drains(folder: Path, channel: RunningChannelServer, echo: str) -> None:
    channel.push(pushed(echo))
    workload = {"service": "cart", "port": 80, "listen": "127.0.0.1:15006", "app": "127.0.0.1:80", "version": "v1"}
    with running(folder, settings(channel.address, workloads=[workload])) as proxy:
        talks(proxy)
        assert channel.subscribers.workloads == {"cart-1": ["cart"]}
        channel.call(channel.subscribers.withdrawing.clear)
        proxy.signal(signal.SIGTERM)
        until(lambda: channel.subscribers.workloads == {"cart-1": []}, "the workload has left")
        # Nobody has been told yet: whoever is sent here is served.
        talks(proxy)
        channel.call(channel.subscribers.withdrawing.set)
        proxy.wait_for("draining")
        assert proxy.process.wait(20) == 0


def test_a_reload_of_the_file_keeps_what_was_pushed(folder: Path, channel: RunningChannelServer, echo: str) -> None:
    version = channel.push(pushed(echo))
    own = settings(channel.address)
    with running(folder, own) as proxy:
        channel.wait_acked("cart-1", version)
        proxy.reload({**own, "max_connections": 100})
        talks(proxy)
        write_config(proxy.config, {**own, "control_plane": {**own["control_plane"], "node": "other"}})
        proxy.signal(signal.SIGHUP)
        proxy.wait_for("reload refused")
        talks(proxy)
