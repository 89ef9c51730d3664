"""What a request must be like besides its path and host; the contract stands in route_match.pxd."""

from libc.string cimport memcmp
from mesh_core.routing.header_match cimport header_fits
from mesh_core.routing.query_match cimport query_fits
from mesh_core.routing.regex cimport regex_fits, regex_walk


cdef const RouteMatchC* first_match(
    const RouteMatchesC* matches, const RequestViewC* request, TextC path, QueryC* query
) noexcept nogil:
    cdef uint32_t index
    for index in range(matches.count):
        if fits(&matches.items[index], request, path, query):
            return &matches.items[index]
    return NULL


cdef bint fits(const RouteMatchC* match, const RequestViewC* request, TextC path, QueryC* query) noexcept nogil:
    cdef TextC method = request.method
    cdef uint32_t index
    if match.method.size and (
        match.method.size != method.size or memcmp(match.method.bytes, method.bytes, method.size) != 0
    ):
        return False
    if match.path != NULL and not regex_fits(
        match.path, regex_walk(match.path, match.path.start, path.bytes, path.size)
    ):
        return False
    for index in range(match.header_count):
        if not header_fits(&match.headers[index], request):
            return False
    for index in range(match.parameter_count):
        if not query_fits(&match.parameters[index], query):
            return False
    return True
