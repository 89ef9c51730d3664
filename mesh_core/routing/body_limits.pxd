"""How large the bodies of a route's requests and responses may be. Part of a snapshot: read-only.

Made by mesh_core.control.route_bounds_compiler, with what the virtual host and the listener say filled in. Worker
thread, no GIL.
"""

from libc.stdint cimport uint64_t


# NULL in a RouteC without limits. 0: no limit.
cdef struct BodyLimitsC:
    uint64_t request_bytes
    uint64_t response_bytes
