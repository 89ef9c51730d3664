"""The choice of a route, from Python; requests lie in heap blocks of exactly their size."""

from libc.stdint cimport uint8_t, uint32_t
from libc.string cimport memset
from mesh_core._testing.convert cimport exact_copy
from mesh_core.control.policy_compiler cimport PolicyCompiler
from mesh_core.control.route_compiler cimport compile_routes
from mesh_core.control.route_match_compiler cimport RouteMatchCompiler
from mesh_core.http1.field_names cimport field_name_find
from mesh_core.http1.head cimport FIELD_REMOVED, FieldC, HeadC
from mesh_core.http1.limits cimport HTTP1_FIELD_COUNT
from mesh_core.http1.method cimport method_find
from mesh_core.http1.serialize cimport TextC
from mesh_core.routing.regex cimport RegexC, regex_fits, regex_walk
from mesh_core.routing.request_view cimport RequestViewC
from mesh_core.routing.route cimport RouteC
from mesh_core.routing.route_table cimport RouteTableC, route_find
from mesh_core.runtime.memory cimport memory_free
from mesh_core.snapshot.snapshot cimport Snapshot


cdef class Routes:
    """The table of a Listener or FilterChain whose routes name no clusters."""

    cdef Snapshot snapshot
    cdef RouteTableC* table

    def __init__(self, destination):
        self.snapshot = Snapshot(1, 1)
        self.table = compile_routes(self.snapshot, destination, {}, PolicyCompiler(None))

    def find(self, bytes authority, bytes path, bytes method, headers, query, bint secure):
        """(virtual host, route, matched prefix) or None. `headers`: (name, value, whether it is passed on)."""
        cdef FieldC[HTTP1_FIELD_COUNT] fields
        cdef HeadC head
        cdef RequestViewC request
        cdef const RouteC* route
        cdef bytes data = b"".join([name + value for name, value, _passed in headers])
        cdef list blocks = [Block(each) for each in (data, authority, path, method, query or b"")]
        cdef uint32_t at = 0
        memset(&head, 0, sizeof(head))
        memset(&request, 0, sizeof(request))
        for index, (name, value, passed) in enumerate(headers):
            fields[index].name.at = at
            fields[index].name.size = <uint32_t>len(name)
            fields[index].value.at = at + <uint32_t>len(name)
            fields[index].value.size = <uint32_t>len(value)
            fields[index].id = field_name_find(<const uint8_t*><const char*>name, len(name), &fields[index].rules)
            fields[index].flags = 0 if passed else FIELD_REMOVED
            at += <uint32_t>(len(name) + len(value))
        head.fields = fields
        head.field_count = <uint32_t>len(headers)
        request.head = &head
        request.data = (<Block>blocks[0]).text.bytes
        request.authority = (<Block>blocks[1]).text
        request.path = (<Block>blocks[2]).text
        request.method = (<Block>blocks[3]).text
        request.method_id = <uint8_t>method_find(request.method.bytes, request.method.size)
        request.query = (<Block>blocks[4]).text
        request.has_query = query is not None
        request.secure = secure
        with nogil:
            route = route_find(self.table, &request)
        if route == NULL:
            return None
        return (
            route.virtual_host.text[:route.virtual_host.size].decode(),
            route.name.text[:route.name.size].decode(),
            route.matched_prefix.text[:route.matched_prefix.size].decode(),
        )


cdef class Block:
    """Bytes in a heap block of their size."""

    cdef TextC text

    def __init__(self, bytes content):
        self.text = TextC(exact_copy(content), len(content))

    def __dealloc__(self):
        memory_free(<void*>self.text.bytes)


cdef class Regex:
    """A regular expression as workers walk it."""

    cdef RouteMatchCompiler compiler
    cdef const RegexC* regex

    def __init__(self, pattern):
        self.compiler = RouteMatchCompiler(Snapshot(1, 1))
        self.regex = self.compiler.regex(pattern)

    def fits(self, pieces):
        """Whether the text that comes in these pieces fits as a whole."""
        cdef uint32_t state = self.regex.start
        cdef Block block
        for each in pieces:
            block = Block(each)
            state = regex_walk(self.regex, state, block.text.bytes, block.text.size)
        return bool(regex_fits(self.regex, state))
