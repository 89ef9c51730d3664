"""From virtual hosts and routes to the tables that workers look a request up in. Control thread, with the GIL."""

from mesh_core.control.policy_compiler cimport PolicyCompiler
from mesh_core.routing.route_table cimport RouteTableC
from mesh_core.snapshot.snapshot cimport Snapshot


# The table, in the snapshot's memory. `destination`: a Listener or FilterChain that was checked, with cluster, routes
# or virtual_hosts; `clusters`: of each name (cluster, index, subsets), as compile_route_action takes it;
# `policies`: of the proxy. Raises MemoryError.
cdef RouteTableC* compile_routes(Snapshot snapshot, destination, dict clusters, PolicyCompiler policies) except NULL
