"""What a request must be like besides its path and host. Worker thread, no GIL."""

from libc.stdint cimport uint32_t
from mesh_core.http1.serialize cimport TextC
from mesh_core.routing.header_match cimport HeaderMatchC
from mesh_core.routing.query_match cimport QueryC, QueryMatchC
from mesh_core.routing.regex cimport RegexC
from mesh_core.routing.request_view cimport RequestViewC
from mesh_core.routing.route cimport RouteC


cdef struct RouteMatchC:
    uint32_t rank              # of all matches of the virtual host by regular expressions, the first counts
    uint32_t header_count
    uint32_t parameter_count
    const RegexC* path         # NULL: the path fits already
    TextC method               # empty: any
    const HeaderMatchC* headers
    const QueryMatchC* parameters
    const RouteC* route


# By rank.
cdef struct RouteMatchesC:
    RouteMatchC* items
    uint32_t count


# The first that fits; NULL: none does. `path` is the request's; `query` was begun with its query.
cdef const RouteMatchC* first_match(
    const RouteMatchesC* matches, const RequestViewC* request, TextC path, QueryC* query
) noexcept nogil
