"""From what a route of the configuration does to its C struct. Control thread, with the GIL."""

from mesh_core.routing.route cimport RouteC
from mesh_core.snapshot.snapshot cimport Snapshot


# Fill in `out`, all but name, virtual_host and matched_prefix, in the snapshot's memory. `route`: a checked
# RouteAction; `clusters`: of each name (cluster, index, subsets), as in control/compiler.pyx, whose clusters are
# compiled. Raises MemoryError.
cdef compile_route_action(Snapshot snapshot, RouteC* out, route, dict clusters)
