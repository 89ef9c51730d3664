"""What generators make: resources of the control channel, and what each depends on."""

from __future__ import annotations

from typing import Any, Literal, NamedTuple

from msgspec import Struct

from mesh_core.config.message import to_builtins
from mesh_core.config.schema import Cluster, Endpoint, Listener, VirtualHost
from mesh_cp.model import Fact

OutputType = Literal["cluster", "endpoint", "listener", "route"]


class OutputKey(NamedTuple):
    """What an output is known by, for one proxy."""

    type: OutputType
    name: str


class Output(Struct, frozen=True, kw_only=True):
    """One resource for a proxy, as the control channel has it: `content` is made of dict, list, str, int …

    Outputs are made once for all who get the same: they are shared, and never changed.
    """

    key: OutputKey
    content: Any


class Piece(Struct, frozen=True, kw_only=True):
    """Outputs that were made together, the facts that they were made of, and what else they need to be there.

    `speaks_http`: whether requests go to what it needs, and not connections.
    """

    outputs: tuple[Output, ...]
    facts: frozenset[Fact]
    needs: frozenset[ClusterRef] = frozenset()
    speaks_http: bool = False


class ClusterRef(NamedTuple):
    """A cluster by what it stands for: a port of a host, or of a subset of it."""

    host: str
    port: int
    subset: str = ""


def cluster_output(cluster: Cluster) -> Output:
    """A cluster, whose endpoints are an output of their own."""
    content = to_builtins(cluster)
    content.pop("endpoints", None)
    return Output(key=OutputKey("cluster", cluster.name), content=content)


def endpoint_output(cluster: str, endpoints: tuple[str | Endpoint, ...]) -> Output:
    """The endpoints of the cluster of that name."""
    return Output(key=OutputKey("endpoint", cluster), content=to_builtins(endpoints))


def listener_output(listener: Listener) -> Output:
    """A listener, whose virtual hosts are outputs of their own."""
    return Output(key=OutputKey("listener", listener.name), content=to_builtins(listener))


def route_output(listener: str, host: VirtualHost) -> Output:
    """A virtual host of the listener of that name."""
    content = {"listener": listener, "virtual_host": to_builtins(host)}
    return Output(key=OutputKey("route", f"{listener}/{host.name}"), content=content)
