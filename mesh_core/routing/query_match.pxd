"""What a parameter of the query must be like, by the URL Standard's application/x-www-form-urlencoded. Worker thread,
no GIL.
"""

from libc.stdint cimport uint32_t
from mesh_core.http1.serialize cimport TextC
from mesh_core.routing.value_match cimport ValueMatchC

cdef enum:
    QUERY_NOTES = 8            # a power of two


cdef struct QueryMatchC:
    TextC name                 # decoded
    uint32_t name_id           # the same for the same name, of all matches of a virtual host; not 0
    ValueMatchC value


# Where a parameter was found, so that a long query is not searched for it again.
cdef struct QueryNoteC:
    uint32_t name_id           # 0: nothing noted
    bint present
    TextC value                # not decoded


# A query under examination.
cdef struct QueryC:
    TextC text
    QueryNoteC[QUERY_NOTES] notes


cdef void query_begin(QueryC* query, TextC text) noexcept nogil

cdef bint query_fits(const QueryMatchC* match, QueryC* query) noexcept nogil
