"""From the time-outs of routes, virtual hosts and listeners to the table of a route. Control thread, with the GIL."""

from mesh_core.routing.timeouts cimport RouteTimeoutsC
from mesh_core.snapshot.snapshot cimport Snapshot


# The table of `route`, a RouteAction of `host`, a VirtualHost, at a listener with `settings`, an HttpSettings; NULL
# when neither route nor host says anything. Raises MemoryError.
cdef const RouteTimeoutsC* compile_timeouts(Snapshot snapshot, settings, host, route) except? NULL
