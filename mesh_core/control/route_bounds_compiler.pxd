"""From the time-outs and body limits of routes, virtual hosts and listeners to the tables of a route. Control thread,
with the GIL.

`route` is a RouteAction of `host`, a VirtualHost, at a listener with `settings`, an HttpSettings. Raise MemoryError.
"""

from mesh_core.routing.body_limits cimport BodyLimitsC
from mesh_core.routing.timeouts cimport RouteTimeoutsC
from mesh_core.snapshot.snapshot cimport Snapshot


# NULL when neither route nor host says anything.
cdef const RouteTimeoutsC* compile_timeouts(Snapshot snapshot, settings, host, route) except? NULL

# NULL when there are none.
cdef const BodyLimitsC* compile_body_limits(Snapshot snapshot, settings, host, route) except? NULL
