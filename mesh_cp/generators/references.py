"""From the destinations of manifests to clusters."""

from __future__ import annotations

from mesh_cp.generators.context import Context
from mesh_cp.generators.output import ClusterRef
from mesh_cp.model.names import service_host
from mesh_cp.model.routes import Virtual
from mesh_cp.resources.gateway_api import BackendObject
from mesh_cp.resources.virtual_service import Destination


def reference(context: Context, virtual: Virtual, destination: Destination, port: int) -> ClusterRef:
    """The cluster of a destination of a VirtualService, for what is sent to `port` of its host."""
    host = context.resolve(destination.host, virtual.key.namespace)
    number = destination.port.number if destination.port is not None else None
    return context.destination(host, number, destination.subset or "", port)


def backend_reference(context: Context, namespace: str, backend: BackendObject) -> ClusterRef:
    """The cluster of a backend of a route of `namespace`."""
    host = service_host(backend.name, backend.namespace or namespace)
    return context.destination(host, backend.port, "", 0)
