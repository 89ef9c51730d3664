"""What becomes of the answers that the proxy gives itself. Part of a snapshot: read-only. Worker thread, no GIL.

Made by mesh_core.control.local_reply_compiler.
"""

from libc.stdint cimport uint8_t, uint16_t, uint32_t
from mesh_core.http1.serialize cimport TextC
from mesh_core.routing.header_edits cimport HeaderEditsC

cdef enum LocalReplyPartKind:
    PART_TEXT
    PART_STATUS
    PART_DETAIL
    PART_FLAGS
    PART_CONNECTION_ID
    PART_BODY                  # of the answer as it was

cdef enum:
    LOCAL_REPLY_BYTES = 65536  # of a body that is written; what comes behind is left out


cdef struct LocalReplyPartC:
    uint8_t kind               # LocalReplyPartKind
    TextC text                 # of PART_TEXT


# Of several, the first that fits counts.
cdef struct LocalReplyC:
    const uint16_t* statuses   # the answer has one of them, if there are any
    uint32_t status_count
    uint32_t flags             # ResponseFlag bits: the answer has one of them, if there are any
    const uint16_t* details    # Detail: so too
    uint32_t detail_count
    uint16_t status            # that is sent; 0: the answer's
    bint has_body
    const LocalReplyPartC* parts  # of the body
    uint32_t part_count
    TextC content_type         # empty: text/plain
    HeaderEditsC headers
