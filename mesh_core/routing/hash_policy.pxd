"""The hash of a request, for load balancers that hash. Worker thread, no GIL.

Envoy's RouteAction.HashPolicy: XXH64 of each part, combined by rotation and exclusive or.
"""

from libc.stdint cimport uint8_t, uint64_t
from mesh_core.routing.cookie cimport CookieC
from mesh_core.routing.request_view cimport RequestViewC
from mesh_core.routing.route cimport RouteC

cdef struct RouteHashC:
    uint64_t hash              # for PickContextC.hash
    bint hashed                # whether there is one
    const CookieC* cookie      # to be made for the client, or NULL; of the snapshot
    uint64_t cookie_value      # its value


# Fill in `out`; out.hashed. `random`: 64 random bits, for the value of a cookie that has to be made; the hash is
# already the one that the cookie will lead to. To be called before header_edits_apply, so that it is of what was sent;
# fields that are FIELD_REMOVED do not count.
cdef bint route_hash(
    const RouteC* route, const RequestViewC* request, uint64_t random, RouteHashC* out
) noexcept nogil

# Write the value of Set-Cookie for out.cookie, which is not NULL; its size, at most COOKIE_WRITE_MOST, or 0 when it
# does not fit.
cdef size_t hash_cookie_write(const RouteHashC* hash, uint8_t* out, size_t capacity) noexcept nogil
