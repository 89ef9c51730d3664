"""Where things are unless it is said: the same for the control plane and for the commands that ask it."""

from __future__ import annotations

import os
from pathlib import Path


def default_api_address() -> str:
    """Where the API listens: a Unix socket that is the user's own."""
    return f"unix:{_runtime_folder() / 'control-plane.sock'}"


def channel_address_beside(api_address: str) -> str:
    """Where proxies connect to the control plane whose API is there."""
    path = api_address.removeprefix("unix:")
    has_file = path != api_address and not path.startswith("@")
    folder = Path(path).parent if has_file else _runtime_folder()
    return f"unix:{folder / 'channel.sock'}"


def default_data_dir() -> Path:
    """Where the store is."""
    if os.geteuid() == 0:
        return Path("/var/lib/hopmesh")
    return Path(os.environ.get("XDG_DATA_HOME") or Path.home() / ".local/share") / "hopmesh"


def _runtime_folder() -> Path:
    if os.geteuid() == 0:
        return Path("/run/hopmesh")
    runtime = os.environ.get("XDG_RUNTIME_DIR")
    return Path(runtime) / "hopmesh" if runtime else Path(f"/tmp/hopmesh-{os.geteuid()}")
