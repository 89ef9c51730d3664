"""The whole configuration of one proxy."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta, Struct

from mesh_core.config.schema.cluster import Cluster
from mesh_core.config.schema.common import NaturalInt, PositiveInt
from mesh_core.config.schema.control_plane import ControlPlane
from mesh_core.config.schema.listener import Listener
from mesh_core.config.schema.node import Metrics, Node
from mesh_core.config.schema.operations import AccessLog, Admin, Restart
from mesh_core.config.schema.overload import Overload


class Config(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What one proxy runs."""

    listeners: Annotated[
        tuple[Listener, ...],
        Meta(description="Where connections come in. Default: none."),
    ] = ()
    clusters: Annotated[
        tuple[Cluster, ...],
        Meta(description="Where connections go to. Default: none."),
    ] = ()
    admin: Annotated[
        Admin | None,
        Meta(description="The HTTP endpoint for operators. Default: none."),
    ] = None
    restart: Annotated[
        Restart | None,
        Meta(
            description=(
                "What `hopmesh restart` needs. Default: none; a restart can then be asked for by SIGUSR2 only, "
                "with the time-out's default."
            ),
        ),
    ] = None
    control_plane: Annotated[
        ControlPlane | None,
        Meta(
            description=(
                "Where more of the configuration comes from, pushed as it changes. Default: none; the file is all."
            ),
        ),
    ] = None
    workers: Annotated[
        Annotated[int, Meta(ge=1, le=256)] | None,
        Meta(
            description=(
                "Threads that relay traffic. Default: one for each CPU that the process may use, as "
                "Envoy's --concurrency (embedded inline: one, in the loop's thread)."
            ),
            examples=[2],
        ),
    ] = None
    access_log: Annotated[
        AccessLog | None,
        Meta(description="A line for every request and connection that has ended. Default: none, as in Envoy."),
    ] = None
    node: Annotated[
        Node,
        Meta(description="The workload that the proxy serves, for the labels of metrics. Default: nothing is said."),
    ] = Node()
    metrics: Annotated[
        Metrics,
        Meta(description="Bounds of what is counted. Default: the defaults of its fields."),
    ] = Metrics()
    overload: Annotated[
        Overload | None,
        Meta(
            description=(
                "What is given up when the process runs short of memory or descriptors. Default: none, as in Envoy."
            )
        ),
    ] = None
    max_connections: Annotated[
        PositiveInt | None,
        Meta(
            description=(
                "Downstream connections open at one time in the whole process. One more is accepted, "
                "counted and closed at once. Default: no limit but that of open files (ulimit -n), of which "
                "a connection takes at least two."
            ),
            examples=[50000],
        ),
    ] = None
    drain_timeout_ms: Annotated[
        NaturalInt,
        Meta(
            description=(
                "Milliseconds that open connections have to end by themselves once the process was told "
                "to stop; 0 closes them at once. Default: 30000, the time that Kubernetes gives a pod "
                "(Envoy: 600000)."
            ),
            examples=[30000],
        ),
    ] = 30_000
