"""Where a redirect leads. Worker thread, no GIL. By the Gateway API's HTTPRequestRedirectFilter."""

from libc.stdint cimport int64_t, uint8_t
from mesh_core.routing.request_view cimport RequestViewC
from mesh_core.routing.route cimport RouteC

cdef enum:
    # Bytes beyond those of the request's authority, path and query that a Location may have.
    REDIRECT_MORE_BYTES = 4096 + 256 + 32


# Write the value of Location, always an absolute URL, for a route of ROUTE_REDIRECT. Its size, or one of
# RouteWriteError: ROUTE_WRITE_NO_HOST is the request's fault (400). The status is route.redirect.status.
cdef int64_t redirect_location_write(
    const RouteC* route, const RequestViewC* request, uint8_t* out, size_t capacity
) noexcept nogil
