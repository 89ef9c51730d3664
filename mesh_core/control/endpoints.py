"""What a cluster's endpoints are at one moment: the compiler's input, whoever found them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from mesh_core.config import Address, Cluster, Config, Endpoint, parse_address
from mesh_core.config.schema.endpoint import as_endpoint


class ResolvedEndpoint(NamedTuple):
    """One endpoint: where it is, and where that was learned.

    `name` is what logs, statistics and the admin endpoint call it: its address in text. `source` is the address that
    stands in the cluster's `endpoints`, and `settings` all that stands there.
    """

    name: str
    address: Address
    source: str
    settings: Endpoint


Endpoints = Mapping[str, Sequence[ResolvedEndpoint]]
"""The endpoints of each cluster, by the cluster's name. A cluster that is not there has none."""


def static_endpoints(cluster: Cluster) -> tuple[ResolvedEndpoint, ...]:
    """The endpoints of a cluster whose configuration has their addresses."""
    return tuple(
        ResolvedEndpoint(each.address, parse_address(each.address), each.address, each)
        for each in map(as_endpoint, cluster.endpoints)
    )


def configured_endpoints(config: Config) -> Endpoints:
    """The endpoints of the static clusters of `config`."""
    return {cluster.name: static_endpoints(cluster) for cluster in config.clusters if cluster.type == "static"}
