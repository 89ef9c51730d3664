"""From what a route of the configuration does to its C struct. Control thread, with the GIL."""

from mesh_core.http1.serialize cimport TextC
from mesh_core.routing.header_edits cimport HeaderEditsC
from mesh_core.routing.route cimport RouteC
from mesh_core.snapshot.snapshot cimport Snapshot


# Fill in `out`, all but name, virtual_host and matched_prefix, in the snapshot's memory. `route`: a checked
# RouteAction; `clusters`: of each name (cluster, index, subsets), as in control/compiler.pyx, whose clusters are
# compiled. Raises MemoryError.
cdef compile_route_action(Snapshot snapshot, RouteC* out, route, dict clusters)

# A text as UTF-8, in the snapshot's memory. Raises MemoryError.
cdef TextC compile_text(Snapshot snapshot, str content) except *

# The changes of `modifier`, a HeaderModifier or None. Raises MemoryError.
cdef compile_edits(Snapshot snapshot, HeaderEditsC* out, modifier)
