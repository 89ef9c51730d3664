"""A proxy that has everything from a channel server of the test's: its configuration, and what it is pushed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tests.support.channel_server import Resources
from tests.support.process import ProxyProcess
from tests.support.process_traffic import ask, connect

Settings = dict[str, Any]


def settings(server: str, folder: Path | None = None, **more: Any) -> Settings:
    """A proxy that has everything from its control plane but the admin endpoint."""
    channel: Settings = {"addresses": [server], "node": "cart-1", "dials": ["*"]}
    if folder is not None:
        channel["state"] = str(folder / "cart.state")
    return {
        "admin": {"address": "127.0.0.1:0"},
        "workers": 1,
        "drain_timeout_ms": 1000,
        "control_plane": {**channel, **more},
    }


def pushed(upstream: str, address: str = "127.0.0.1:0") -> Resources:
    """A listener that leads to `upstream`."""
    return {
        ("cluster", "app"): {"name": "app"},
        ("endpoint", "app"): [upstream],
        ("listener", "in"): {"name": "in", "address": address, "cluster": "app"},
    }


def talks(proxy: ProxyProcess, text: bytes = b"hello") -> None:
    """See that it relays."""
    with connect(proxy.address()) as client:
        ask(client, text)
