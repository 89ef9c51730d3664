"""What a control plane should not send: refused with every reason, and the data path is as it was."""

from __future__ import annotations

import socket
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec
import pytest

from mesh_core.channel.frames import frame
from mesh_core.channel.resources import Encoded, Key, content_hash, encode_resource
from tests.support.channel_server import RunningChannelServer
from tests.support.process import running, until
from tests.support.process_traffic import admin
from tests.support.pushed import pushed, settings, talks


def route(cluster: str, path: dict[str, str]) -> Any:
    routes = [{"name": "r", "matches": [{"path": path}], "cluster": cluster}]
    return {"listener": "in", "virtual_host": {"name": "app", "hosts": ["*"], "routes": routes}}


def nested(depth: int) -> Any:
    value: Any = "x"
    for _ in range(depth):
        value = [value]
    return value


def refuses(channel: RunningChannelServer, resources: Mapping[Key, Encoded], *reasons: str) -> None:
    """The proxy refuses these, and tells all of these reasons: endpoints and the rest may be refused one by one."""
    version = channel.push_encoded(resources)
    delivery = channel.session("cart-1").delivery

    def are_told() -> bool:
        faults = "\n".join(delivery.refused)
        return delivery.refused_version == version and all(each in faults for each in reasons)

    until(are_told, f"it is refused for {reasons}")


def test_a_poisoned_update_is_refused_with_every_reason(
    folder: Path, channel: RunningChannelServer, echo: str
) -> None:
    good = {**pushed(echo), ("listener", "in"): {"name": "in", "address": "127.0.0.1:0", "protocol": "http"}}
    good["route", "in/app"] = route("app", {"prefix": "/"})
    with running(folder, settings(channel.address)) as proxy:
        channel.wait_acked("cart-1", channel.push(good))
        status = admin(proxy.address(), "/").status
        encoded = {Key(*key): encode_resource(each) for key, each in good.items()}

        # What cannot be read at all.
        for poison in (b"\x81", b"\xc1", b"\x91" * 100_000):
            cut = {**encoded, Key("cluster", "cut"): Encoded(content_hash(poison), msgspec.Raw(poison))}
            refuses(channel, cut, "the update cannot be read: ")

        # What is no resource.
        strange = {
            **encoded,
            Key("endpoint", "app"): encode_resource({"not": "a list"}),
            Key("cluster", "other"): encoded[Key("cluster", "app")]._replace(hash=b"x" * 16),
        }
        refuses(
            channel,
            strange,
            "endpoint app: the content has not the form of its type",
            "cluster other: the content is not what its hash says",
        )

        # What no file might say.
        wrong = {
            **encoded,
            Key("cluster", "deep"): encode_resource({"name": "deep", "labels": nested(200)}),
            Key("endpoint", "nobody"): encode_resource([]),
            Key("route", "in/app"): encode_resource(route("nowhere", {"regex": "a(b"})),
        }
        reasons = ("cluster deep: ", "endpoint nobody: a cluster nobody does not exist", "regex", "nowhere")
        refuses(channel, wrong, *reasons)

        assert admin(proxy.address(), "/").status == status
        channel.wait_acked("cart-1", channel.push({**good, ("cluster", "more"): {"name": "more"}}))
        assert admin(proxy.address(), "/").status == status
        # All that time, over one connection.
        assert not proxy.events("control plane lost")


POISON = {
    "a frame of 1 GiB": (1 << 30).to_bytes(4, "big") + b"abc",
    "nesting": frame(b"\x91" * 1_000_000),
    "rubbish": frame(b"rubbish"),
    "an update before the welcome": frame(msgspec.msgpack.encode({"type": "update", "version": 1})),
    "an update that ends": frame(msgspec.msgpack.encode({"type": "update", "version": 1}))[:-3],
    "nothing": b"",
}


@pytest.mark.parametrize("said", POISON.values(), ids=POISON.keys())
def test_a_control_plane_that_has_lost_its_mind(folder: Path, echo: str, said: bytes) -> None:
    """It is left alone, and what is served goes on; the next good one is heard."""
    with socket.create_server(("127.0.0.1", 0)) as mad:
        address = f"127.0.0.1:{mad.getsockname()[1]}"
        own = settings(address) | {
            "listeners": [{"name": "in", "address": "127.0.0.1:0", "cluster": "app"}],
            "clusters": [{"name": "app", "endpoints": [echo]}],
        }
        with running(folder, own) as proxy:
            for _ in range(2):
                connection, _ = mad.accept()
                with connection:
                    connection.settimeout(20)
                    assert connection.recv(65536)
                    connection.sendall(said)
                    connection.shutdown(socket.SHUT_WR)
                    begun = time.monotonic()
                    while connection.recv(65536):
                        assert time.monotonic() - begun < 20
                talks(proxy)
            proxy.wait_for("no control plane")
            mad.close()
            # The next one makes sense.
            with RunningChannelServer(address) as server:
                server.wait_acked("cart-1", server.push({("cluster", "more"): {"name": "more"}}))
            talks(proxy)
