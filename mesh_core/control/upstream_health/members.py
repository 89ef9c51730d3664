"""The endpoints of one cluster as the control thread's watchers see them: what they are called and what is known."""

from __future__ import annotations

from typing import NamedTuple

from mesh_core.config import Cluster
from mesh_core.control.endpoints import ResolvedEndpoint
from mesh_core.control.upstream_health.gradient_controller import GradientController
from mesh_core.telemetry.stats import StatsScope
from mesh_core.upstream.endpoint_state import ClusterState, EndpointState


class Member(NamedTuple):
    """One endpoint: where it is, and what all workers know of it."""

    endpoint: ResolvedEndpoint
    state: EndpointState
    stats: StatsScope
    """Its scope of kind "endpoint"."""


class Members(NamedTuple):
    """A cluster and its endpoints, by name, as of one snapshot."""

    cluster: Cluster
    state: ClusterState
    endpoints: dict[str, Member]
    limit: GradientController | None = None
    """Of its adaptive limit."""
