"""What things are called in a proxy's configuration: the same for every proxy, so that they can share it."""

from __future__ import annotations

import hashlib
import re

from mesh_cp.generators.output import ClusterRef

OUTBOUND = "outbound"
"""The listener that takes whatever requests the workload sends."""

_NAME_CHARACTERS = 128
_KEPT = 100
_OTHERS = re.compile(r"[^A-Za-z0-9_.:/-]")


def name_of(text: str) -> str:
    """`text` as a name of the schema's: one that is too long is cut, and told apart by a hash."""
    text = text.replace("*", "_")
    if len(text) <= _NAME_CHARACTERS:
        return text
    return f"{text[:_KEPT]}-{hashlib.blake2b(text.encode(), digest_size=8).hexdigest()}"


def route_name(text: str) -> str:
    """A route's name as far as a name of the schema's has its characters; it may be empty."""
    return name_of(_OTHERS.sub("-", text).lstrip(".:/-"))


def cluster_name(ref: ClusterRef) -> str:
    """host:port, with /subset behind it where there is one."""
    return name_of(f"{ref.host}:{ref.port}/{ref.subset}" if ref.subset else f"{ref.host}:{ref.port}")


def virtual_host_name(host: str, port: int) -> str:
    """host:port, as Istio calls them."""
    return name_of(f"{host}:{port}")


def inbound_name(number: int) -> str:
    """The listener, and the cluster, of a port of the proxy's own workload."""
    return f"inbound:{number}"


def dial_name(host: str, port: int) -> str:
    """The listener of one port of a host."""
    return name_of(f"outbound:{host}:{port}")
