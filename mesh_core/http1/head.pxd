"""The head of a request or response, or a trailer section, parsed where it was received. Sans-I/O, no GIL.

RFC 9112, sections 2 to 5; strict: what could be read in two ways is an error. What fields say about the message's body
and its connection is judged by framing.pxd.
"""

from libc.stdint cimport uint8_t, uint16_t, uint32_t, uint64_t
from mesh_core.http1.field_names cimport FIELD_NAME_COUNT
from mesh_core.http1.grammar cimport SliceC
from mesh_core.http1.limits cimport Http1LimitsC
from mesh_core.http1.target cimport TargetC

cdef enum HeadKind:
    HEAD_REQUEST
    HEAD_RESPONSE
    HEAD_TRAILERS              # fields only; judged by trailers_check in framing.pxd

cdef enum HeadVerdict:         # or an Http1Error, below 0
    HEAD_INCOMPLETE = 0
    HEAD_COMPLETE = 1

cdef enum:
    FIELD_REMOVED = 1          # not to be passed on: hop-by-hop, or somebody's wish
    FIELD_CANONICAL = 2        # "name: value" with one space, none behind
    FIELD_PLAIN_LENGTH = 4     # a Content-Length whose value is HeadC.length, without leading zeros


cdef struct FieldC:
    SliceC name
    SliceC value               # without the white space around it
    uint8_t id                 # FieldName
    uint8_t rules              # FieldRule
    uint8_t flags


# What a complete head says; slices count from the buffer's begin. Of an incomplete one only what parsing goes on from.
cdef struct HeadC:
    FieldC* fields             # the caller's, with room for limits.field_count
    uint32_t field_count
    uint32_t bytes             # the whole head, through its empty line: the body begins there
    uint8_t kind               # HeadKind
    uint8_t phase
    uint8_t minor_version      # 0 or 1; of trailers 1
    uint8_t method_id          # HttpMethod
    uint16_t status
    uint32_t names             # bits of the FieldNames that `fields` had when they were parsed
    uint32_t repeated          # of those that it had more than once
    uint32_t[FIELD_NAME_COUNT] last  # the index of the last field with that name, where there is one
    uint64_t length            # what FIELD_PLAIN_LENGTH says
    SliceC method
    SliceC whole_target
    TargetC target
    SliceC reason
    uint32_t line_at           # where the present line begins
    uint32_t scan_at           # and up to where it has been looked at


# Begin a head of `kind` (HeadKind) whose fields go to `fields`.
cdef void head_begin(HeadC* head, int kind, FieldC* fields) noexcept nogil

# Parse the head at the begin of `data`, which may hold more, and which until then may have moved and grown, but must
# begin with the same bytes as in earlier calls. A HeadVerdict or an Http1Error, which depend on the bytes only and not
# on their cuts; after either no further call is allowed. Time grows with the bytes that are new.
cdef int head_parse(HeadC* head, const uint8_t* data, size_t size, const Http1LimitsC* limits) noexcept nogil
