"""The path that an upstream or a redirect is given. Worker thread, no GIL.

By the Gateway API's HTTPPathModifier: a prefix is replaced by whole segments.
"""

from libc.stdint cimport int64_t, uint8_t
from mesh_core.http1.serialize cimport TextC
from mesh_core.routing.request_view cimport RequestViewC
from mesh_core.routing.route cimport PathModifierC, RouteC

cdef enum:
    PATH_MODIFIER_MOST = 4096  # bytes that a modifier adds to a path, at most


# Write the path, "?" and the query that the upstream is sent: an origin-form again, or as it was ("*", or empty of
# CONNECT). Its size, never more than those of request.path and request.query + PATH_MODIFIER_MOST + 2; or
# ROUTE_WRITE_OVERFLOW.
cdef int64_t route_target_write(
    const RouteC* route, const RequestViewC* request, uint8_t* out, size_t capacity
) noexcept nogil

# Write `path` as changed by `modifier`; its size or ROUTE_WRITE_OVERFLOW. A path that does not begin with a slash
# stays as it is, as does one without the prefix. The result never begins with two slashes unless `path` is unchanged.
cdef int64_t path_modifier_write(
    const PathModifierC* modifier, const RouteC* route, TextC path, uint8_t* out, size_t capacity
) noexcept nogil
