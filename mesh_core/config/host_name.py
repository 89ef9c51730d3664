"""The host name that the endpoints of a cluster share: what a TLS client asks for when it is not told."""

from __future__ import annotations

from mesh_core.config.address import AddressError, parse_address
from mesh_core.config.schema import Cluster
from mesh_core.config.schema.endpoint import as_endpoint


def shared_host_name(cluster: Cluster) -> str | None:
    """The host name of every endpoint of `cluster`; None when one has an address, or another name."""
    names: set[str] = set()
    for endpoint in (as_endpoint(each).address for each in cluster.endpoints):
        try:
            parse_address(endpoint)
        except AddressError:
            names.add(endpoint.rpartition(":")[0].lower())
        else:
            return None
    return names.pop() if len(names) == 1 else None
