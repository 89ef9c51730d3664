"""From the matches of a virtual host's routes to what workers ask of requests. Control thread, with the GIL."""

from mesh_core.http1.serialize cimport TextC
from mesh_core.routing.header_match cimport HeaderMatchC
from mesh_core.routing.query_match cimport QueryMatchC
from mesh_core.routing.regex cimport RegexC
from mesh_core.routing.route_match cimport RouteMatchC
from mesh_core.routing.value_match cimport ValueMatchC
from mesh_core.snapshot.snapshot cimport Snapshot


# For one table of routes. Functions raise MemoryError; all that they make is of the snapshot's memory.
cdef class RouteMatchCompiler:
    cdef Snapshot snapshot
    cdef dict regexes          # of each expression the address of its RegexC
    cdef dict parameters       # of each name of a query parameter its number

    # Fill in what `match`, a checked RouteMatch, says besides the path.
    cdef compile(self, RouteMatchC* out, match)

    cdef const RegexC* regex(self, str pattern) except NULL

    cdef HeaderMatchC* headers(self, matches) except? NULL
    cdef QueryMatchC* query_parameters(self, matches) except? NULL
    cdef value(self, ValueMatchC* out, match, bint invert)


# A copy of the text as UTF-8.
cdef TextC copy_text(Snapshot snapshot, str text) except *
