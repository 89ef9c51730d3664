"""The chunked transfer coding (RFC 9112, section 7.1), both ways. Sans-I/O, no GIL.

Stricter than the RFC in one point: there may be no white space around a chunk's size and extensions.
"""

from libc.stdint cimport uint8_t, uint32_t, uint64_t
from mesh_core.http1.limits cimport Http1LimitsC

cdef enum ChunkedStep:         # or an Http1Error, below 0
    CHUNKED_MORE = 0           # all was taken; more has to come
    CHUNKED_BODY = 1           # a piece of the body
    CHUNKED_LAST = 2           # the last chunk's line has been taken: the trailer section follows

cdef enum:
    CHUNK_HEAD_BYTES = 18      # the most that chunk_head_write writes


# Zeroed before the body begins.
cdef struct ChunkedC:
    uint64_t left              # bytes of the present chunk that are still to come
    uint32_t line_bytes        # of the present chunk's line
    uint32_t extension_bytes   # of the whole body
    uint8_t phase
    int error                  # what the body was refused for: every further step says so again


# Take one step from the begin of `data`; `taken` becomes how much of it was used up. With CHUNKED_BODY the last
# `body_bytes` of those are body. The same body and the same end come out wherever the input is cut. After CHUNKED_LAST
# no further call is allowed; the trailers, at `taken`, are for head_parse and trailers_check.
cdef int chunked_step(
    ChunkedC* state, const uint8_t* data, size_t size, const Http1LimitsC* limits, size_t* taken, size_t* body_bytes
) noexcept nogil

# Write the line before a chunk of `size` bytes, behind which goes a CRLF; size 0 is the line before the trailer
# section. The bytes written.
cdef size_t chunk_head_write(uint8_t* out, uint64_t size) noexcept nogil
