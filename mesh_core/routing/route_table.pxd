"""Which route a request of a listener or filter chain goes by. Worker thread, no GIL.

Made by mesh_core.control.route_compiler; docs/routing.md has the order of what counts. A look-up grows with the length
of the host and the path, and with the matches of this very path that differ in method, headers or query parameters.
"""

from mesh_core.routing.request_view cimport RequestViewC
from mesh_core.routing.route cimport RouteC
from mesh_core.routing.virtual_host_table cimport VirtualHostTableC


cdef struct RouteTableC:
    const RouteC* only         # that of any request whatever; NULL: there are several, or not for all
    VirtualHostTableC hosts


# The route of the most exact match, of the snapshot's memory; NULL: no virtual host or no match of it fits.
cdef inline const RouteC* route_find(const RouteTableC* table, const RequestViewC* request) noexcept nogil:
    return table.only if table.only != NULL else route_search(table, request)

cdef const RouteC* route_search(const RouteTableC* table, const RequestViewC* request) noexcept nogil

# What RouteTableC.only is to be, of a table that is complete but for that.
cdef const RouteC* route_of_all(const RouteTableC* table) noexcept nogil
