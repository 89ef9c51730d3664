"""Trace context: which trace a request belongs to, read from headers and written to them. Sans-I/O, no GIL.

W3C Trace Context (level 1, traceparent version 00), and Zipkin's B3 in one header or in several.
"""

from libc.stdint cimport uint8_t, uint32_t

cdef enum:
    TRACE_ID_BYTES = 16
    SPAN_ID_BYTES = 8
    TRACEPARENT_BYTES = 55
    B3_BYTES_MOST = 70         # 32 + 1 + 16 + 1 + 1 + 1 + 16, and some

cdef enum TraceVerdict:
    TRACE_MALFORMED
    TRACE_FOUND
    TRACE_DECISION             # only whether it is sampled


# Of one request at this hop. All zero: there is none. Owner: the stream.
cdef struct TraceContextC:
    uint8_t trace_id[TRACE_ID_BYTES]
    uint8_t span_id[SPAN_ID_BYTES]  # of this hop
    uint8_t parent_id[SPAN_ID_BYTES]  # of the hop before; zero: the trace begins here
    uint8_t came               # a field of any format was in the request, sound or not
    uint8_t present
    uint8_t sampled
    uint8_t debug              # B3's d: sampled, whatever anybody decides
    uint8_t short_id           # it came with 64 bits of an id, and goes on so in B3
    uint8_t has_decision       # `sampled` means something


# The values of B3's several headers; size 0: it is not there.
cdef struct B3FieldsC:
    const uint8_t* trace_id
    const uint8_t* span_id
    const uint8_t* sampled
    const uint8_t* flags
    uint32_t trace_id_bytes
    uint32_t span_id_bytes
    uint32_t sampled_bytes
    uint32_t flags_bytes


# Read what came from the hop before: its span id becomes parent_id, and `span_id` stays. A TraceVerdict; unless it is
# TRACE_FOUND, the ids stay as they were.
cdef TraceVerdict traceparent_read(const uint8_t* text, size_t size, TraceContextC* out) noexcept nogil
cdef TraceVerdict b3_read(const uint8_t* text, size_t size, TraceContextC* out) noexcept nogil
cdef TraceVerdict b3_fields_read(const B3FieldsC* fields, TraceContextC* out) noexcept nogil

# Whether a tracestate may go on: members with a key and a value each, 32 at most in all. `members` counts those of
# several fields.
cdef bint tracestate_is_sound(const uint8_t* text, uint32_t size, uint32_t* members) noexcept nogil

# Write what the next hop is told, span_id as its parent; the bytes written.
cdef size_t traceparent_write(const TraceContextC* trace, uint8_t* out) noexcept nogil
cdef size_t b3_write(const TraceContextC* trace, uint8_t* out) noexcept nogil

# Write bytes as twice as many hexadecimal digits in lower case; how many.
cdef size_t hex_write(const uint8_t* bytes, size_t size, uint8_t* out) noexcept nogil

# Whatever is read is written so that it reads the same; see fuzz/README.md. The first byte says in which form the rest
# is: traceparent, b3, B3's several values by lines, tracestate.
cdef int fuzz_trace_context(const uint8_t* data, size_t size) noexcept nogil
