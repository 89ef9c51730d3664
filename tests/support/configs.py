"""Configurations for tests, as the dicts that come over the channel."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

Settings = dict[str, Any]


def listener(name: str = "in", address: str = "127.0.0.1:0", cluster: str = "app", **more: Any) -> Settings:
    """One listener."""
    return {"name": name, "address": address, "cluster": cluster, **more}


def cluster(endpoints: Sequence[str], name: str = "app", **more: Any) -> Settings:
    """One cluster."""
    return {"name": name, "endpoints": list(endpoints), **more}


def config(listeners: Sequence[Settings], clusters: Sequence[Settings], folder: Path, **more: Any) -> Settings:
    """A whole configuration: one worker and an access log in `folder`, unless `more` says otherwise."""
    base = {
        "listeners": list(listeners),
        "clusters": list(clusters),
        "workers": 1,
        "access_log": {"path": str(folder / "access.json")},
    }
    return base | more
