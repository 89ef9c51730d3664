"""How long a route's requests may take. Part of a snapshot: read-only.

Made by mesh_core.control.timeouts_compiler, with what the virtual host and the listener say filled in. Worker thread,
no GIL.
"""

from libc.stdint cimport int64_t


# NULL in a RouteC whose requests go by the listener's settings alone. 0: no limit.
cdef struct RouteTimeoutsC:
    int64_t request_ms         # from the request's last byte to the response's, all attempts together
    int64_t per_try_ms         # from the request's last byte sent to an endpoint to the head of its response
    int64_t stream_idle_ms     # without a byte in either direction
    int64_t max_stream_duration_ms  # from the request's first byte to the response's last
