"""Proxies that say what they may not, or do not read, or fall silent: each harms itself alone."""

from __future__ import annotations

import contextlib
import socket
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import msgspec
import pytest

from mesh_core.channel.frames import FrameReader, frame
from mesh_core.channel.resources import HASH_BYTES
from tests.support.channel_server import RunningChannelServer
from tests.support.waiting import LIMIT_S, wait_until

Message = dict[str, Any]


def said(**message: Any) -> bytes:
    return frame(msgspec.msgpack.encode(message))


def hello(node: str = "mad", **more: Any) -> bytes:
    return said(type="hello", protocol=1, node=node, version="1", **more)


class LightProxy:
    """The proxy's end of the channel, without a proxy."""

    def __init__(self, server: RunningChannelServer) -> None:
        self._socket = socket.socket(socket.AF_UNIX)
        self._socket.settimeout(LIMIT_S)
        self._socket.connect(server.address.removeprefix("unix:"))
        self._frames = FrameReader()
        self._messages: list[Message] = []

    def __enter__(self) -> LightProxy:
        return self

    def __exit__(self, *_: object) -> None:
        self._socket.close()

    def say(self, data: bytes) -> None:
        self._socket.sendall(data)

    def end(self) -> None:
        """Nothing more is said."""
        self._socket.shutdown(socket.SHUT_WR)

    def hear(self, kind: str) -> Message | None:
        """The next message of that type; None: the connection has ended before."""
        while True:
            while self._messages:
                message = self._messages.pop(0)
                if message["type"] == "ping":
                    with contextlib.suppress(BrokenPipeError):
                        self.say(said(type="pong"))
                if message["type"] == kind:
                    return message
            try:
                data = self._socket.recv(65536)
            except ConnectionResetError:
                data = b""
            if not data:
                return None
            self._messages += [msgspec.msgpack.decode(body) for body in self._frames.feed(data)]

    def acknowledge(self) -> int:
        """Take the next update; its version."""
        update = self.hear("update")
        assert update is not None
        self.say(said(type="ack", version=update["version"]))
        version: int = update["version"]
        return version


@pytest.fixture
def channel(tmp_path: Path) -> Iterator[RunningChannelServer]:
    with RunningChannelServer(f"unix:{tmp_path}/channel.sock") as server:
        yield server


@pytest.fixture
def sane(channel: RunningChannelServer) -> Iterator[LightProxy]:
    """One that behaves, and gets its updates whatever others do."""
    with LightProxy(channel) as proxy:
        proxy.say(hello("sane"))
        assert proxy.hear("welcome") is not None
        yield proxy


def still_served(channel: RunningChannelServer, sane: LightProxy) -> None:
    version = channel.push({("cluster", "app"): {"name": "app"}, ("endpoint", "app"): []})
    assert sane.acknowledge() == version
    channel.wait_acked("sane", version)


NO_HELLO = {
    "a frame of 1 GiB": (1 << 30).to_bytes(4, "big") + b"abc",
    "deep nesting": frame(b"\x91" * 1_000_000),
    "rubbish": frame(b"rubbish"),
    "an empty frame": frame(b""),
    "an ack before the hello": said(type="ack", version=1),
    "an unknown type": said(type="greetings"),
    "no node": said(type="hello", protocol=1, version="1"),
    "an empty node": hello(""),
    "a node that is too long": hello("n" * 513),
    "another protocol": said(type="hello", protocol=2, node="mad", version="1"),
    "a hash that is none": hello(holds={"cluster": {"app": b"short"}}),
    "a type of resource that is none": hello(holds={"elephant": {"app": bytes(HASH_BYTES)}}),
    "a port that is none": hello(workloads=[{"service": "a", "port": 65536, "listen": "a:1", "app": "a:1"}]),
    "more than a hello": hello() + said(type="pong"),
    "a hello that ends": hello()[:-1],
    "nothing": b"",
}


@pytest.mark.parametrize("data", NO_HELLO.values(), ids=NO_HELLO.keys())
def test_what_is_no_hello_is_refused(channel: RunningChannelServer, sane: LightProxy, data: bytes) -> None:
    with LightProxy(channel) as mad:
        mad.say(data)
        mad.end()
        refused = mad.hear("refused")
        assert refused is not None
        assert refused["reason"] and refused["retry_after_ms"] == 1000
        assert mad.hear("anything") is None
    assert channel.server.refused == 1
    assert list(channel.server.sessions) == ["sane"]
    still_served(channel, sane)


NONSENSE = {
    "a frame of 1 GiB": (1 << 30).to_bytes(4, "big") + b"abc",
    "deep nesting": frame(b"\x91" * 1_000_000),
    "rubbish": frame(b"rubbish"),
    "an ack of nothing": said(type="ack", version=7),
    "a nack of nothing": said(type="nack", version=7, faults=["because"]),
    "a second hello": hello(),
    "too many dials": said(type="subscribe", dials=[{"host": f"h{number}"} for number in range(10_001)]),
    "a negative version": said(type="ack", version=-1),
    "half a message": said(type="pong")[:-1],
}


@pytest.mark.parametrize("data", NONSENSE.values(), ids=NONSENSE.keys())
def test_nonsense_ends_its_own_session(channel: RunningChannelServer, sane: LightProxy, data: bytes) -> None:
    with LightProxy(channel) as mad:
        mad.say(hello())
        assert mad.hear("welcome") is not None
        mad.say(data)
        mad.end()
        assert mad.hear("refused") is not None
    wait_until(lambda: list(channel.server.sessions) == ["sane"], "the session is gone")
    assert channel.server.refused == 1
    still_served(channel, sane)


def test_one_that_does_not_read_delays_nobody(channel: RunningChannelServer, sane: LightProxy) -> None:
    """Its updates are merged into the newest; others go on at their own pace."""
    with LightProxy(channel) as deaf:
        deaf.say(hello("deaf"))
        assert deaf.hear("welcome") is not None
        for number in range(20):
            large = {("cluster", f"c{number}-{each}"): {"name": "x" * 500} for each in range(100)}
            version = channel.push(large)
            assert sane.acknowledge() == version
        assert channel.session("deaf").delivery.acked_version == 0
        # What it reads when it reads again: the update that was under way, and the newest.
        assert deaf.acknowledge() < version
        assert deaf.acknowledge() == version
        channel.wait_acked("deaf", version)


def test_one_that_falls_silent_is_given_up(channel: RunningChannelServer, sane: LightProxy) -> None:
    with LightProxy(channel) as silent:
        silent.say(hello("silent"))
        assert silent.hear("welcome") is not None
        while "silent" in channel.server.sessions:
            assert sane.hear("ping") is not None
        assert silent.hear("anything") is None
    still_served(channel, sane)


def test_a_flood_is_slowed_down(channel: RunningChannelServer, sane: LightProxy) -> None:
    """Bytes that nobody reads fill the sockets; then it waits, and is silent in the end."""
    with LightProxy(channel) as flood:
        flood.say(hello("flood"))
        assert flood.hear("welcome") is not None
        with ThreadPoolExecutor(1) as thread:
            ended = thread.submit(until_it_ends, flood, said(type="pong") * 10_000)
            while not ended.done():
                assert sane.hear("ping") is not None
            ended.result()
    assert list(channel.server.sessions) == ["sane"]
    still_served(channel, sane)


def until_it_ends(proxy: LightProxy, data: bytes) -> None:
    """Say the same again and again."""
    with contextlib.suppress(BrokenPipeError, ConnectionResetError):
        while True:
            proxy.say(data)


def test_the_last_of_a_name_counts(channel: RunningChannelServer, sane: LightProxy) -> None:
    with LightProxy(channel) as first, LightProxy(channel) as second:
        first.say(hello("twin"))
        assert first.hear("welcome") is not None
        second.say(hello("twin"))
        assert second.hear("welcome") is not None
        refused = first.hear("refused")
        assert refused is not None and refused["retry_after_ms"] == 5000
        assert first.hear("anything") is None
        version = channel.push({("cluster", "app"): {"name": "app"}})
        assert (second.acknowledge(), sane.acknowledge()) == (version, version)
    assert channel.server.refused == 0
