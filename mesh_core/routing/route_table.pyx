"""Which route a request goes by; the contract stands in route_table.pxd."""

from mesh_core.http1.method cimport METHOD_CONNECT
from mesh_core.http1.serialize cimport TextC
from mesh_core.includes.prefetch cimport prefetch_lines
from mesh_core.routing.path_table cimport PathNodeC, path_find
from mesh_core.routing.query_match cimport QueryC, query_begin
from mesh_core.routing.route_match cimport RouteMatchC, first_match
from mesh_core.routing.virtual_host_table cimport VirtualHostC, virtual_host_find


cdef const RouteC* route_search(const RouteTableC* table, const RequestViewC* request) noexcept nogil:
    cdef const VirtualHostC* host = virtual_host_find(&table.hosts, request.authority, request.secure)
    cdef const PathNodeC* node
    cdef const PathNodeC* each
    cdef const RouteMatchC* found = NULL
    cdef const RouteMatchC* other
    cdef TextC path = request.path
    cdef QueryC query
    cdef bint whole
    if host == NULL:
        return NULL
    if path.size == 0 and request.method_id != METHOD_CONNECT:
        # That of "http://host": RFC 9110, section 4.2.3.
        path = TextC(<const unsigned char*>b"/", 1)
    query_begin(&query, request.query)
    node = path_find(&host.paths, path, &whole)
    if whole:
        found = first_match(&node.exact, request, path, &query)
    each = node if found == NULL and host.paths.has_regexes else NULL
    while each != NULL:
        other = first_match(&each.regexes, request, path, &query)
        if other != NULL and (found == NULL or other.rank < found.rank):
            found = other
        each = each.parent
    while found == NULL and node != NULL:
        found = first_match(&node.prefixes, request, path, &query)
        node = node.parent
    if found == NULL:
        return NULL
    # It is about to be read from end to end.
    prefetch_lines(found.route, sizeof(RouteC))
    return found.route


cdef const RouteC* route_of_all(const RouteTableC* table) noexcept nogil:
    cdef const VirtualHostC* host = table.hosts.any.every
    cdef const RouteMatchC* match
    if host == NULL or table.hosts.longest or table.hosts.any.port_count:
        return NULL
    if host.paths.longest or host.paths.has_regexes or not host.paths.root.prefixes.count:
        return NULL
    match = host.paths.root.prefixes.items
    if match.path != NULL or match.method.size or match.header_count or match.parameter_count:
        return NULL
    return match.route
