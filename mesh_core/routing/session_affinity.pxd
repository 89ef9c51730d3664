"""Keeping a session with one endpoint, by a cookie that names it. Worker thread, no GIL.

As Envoy's stateful session by cookie, but that the cookie has hashes of the names of cluster and endpoint: it tells
nobody an address, and stays good as long as both names do, in every proxy of the same configuration.
"""

from libc.stdint cimport uint8_t, uint64_t
from mesh_core.routing.request_view cimport RequestViewC
from mesh_core.routing.route cimport RouteC, RouteClusterC
from mesh_core.snapshot.tables cimport EndpointC

cdef enum AffinityVerdict:
    AFFINITY_NONE              # the route has none, or no cookie with a use came: choose as ever, and send a cookie
    AFFINITY_FOUND             # go there; the client has its cookie already
    AFFINITY_LOST              # only with `strict`: that endpoint is not to be had; answer 503, flag UH


# Where the session of this request goes. With AFFINITY_FOUND `chosen` and `endpoint` become the cluster, whatever its
# weight, and the endpoint, which is of its subset and healthy; with other verdicts they are left alone. Takes no longer
# with many endpoints.
cdef int affinity_find(
    const RouteC* route, const RequestViewC* request, const RouteClusterC** chosen, EndpointC** endpoint
) noexcept nogil

# Write the value of Set-Cookie that keeps a session with `endpoint` of `chosen`, for a route that has affinity; its
# size, at most COOKIE_WRITE_MOST, or 0 when it does not fit. To be sent with the response whenever the verdict was not
# AFFINITY_FOUND, or a retry went to another endpoint.
cdef size_t affinity_cookie_write(
    const RouteC* route, const RouteClusterC* chosen, const EndpointC* endpoint, uint8_t* out, size_t capacity
) noexcept nogil

# What names a cluster in cookies, for RouteClusterC.affinity_key; also an endpoint.
cdef uint64_t affinity_key(const char* name, size_t size) noexcept nogil
