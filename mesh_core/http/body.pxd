"""A message's body on its way: taken apart as it comes, framed anew as it goes. Sans-I/O, no GIL.

A body whose length is known goes as it is; one in chunks, or one that only the connection's end tells the end of,
goes in chunks of our own, or as it is to a peer of HTTP/1.0.
"""

from libc.stdint cimport uint8_t, uint64_t
from libc.string cimport memset
from mesh_core.http1.chunked cimport ChunkedC
from mesh_core.http1.framing cimport BODY_LENGTH, BODY_NONE
from mesh_core.http1.limits cimport Http1LimitsC

cdef enum:
    BODY_ROOM_MORE = 64        # what body_take writes beyond the size of its input
    BODY_TOO_LARGE = -1001     # more than BodyC.most; no Http1Error


cdef struct BodyC:
    uint8_t kind               # BodyKind, as it comes
    uint8_t written            # BodyKind, as it goes
    bint in_trailers           # the trailer section comes next, for the caller to read
    bint ended                 # all of it has come
    uint64_t left              # of BODY_LENGTH
    uint64_t most              # bytes of content of a body whose length is not known before; 0: no limit
    uint64_t bytes             # of content, so far
    ChunkedC chunked


# Begin a body that comes as `kind`, with `length` bytes if that is known, and goes as `written`.
cdef inline void body_begin(BodyC* body, int kind, uint64_t length, int written) noexcept nogil:
    memset(body, 0, sizeof(BodyC))
    body.kind = <uint8_t>kind
    body.written = <uint8_t>written
    body.left = length if kind == BODY_LENGTH else 0
    body.ended = kind == BODY_NONE or (kind == BODY_LENGTH and not length)

# Take what belongs to the body from data[0:size]: `taken` bytes of it, until it ends or its trailers begin. What is to
# be sent for them is `out[0:out_size]`: a part of `data`, or written to `room`, which holds size + BODY_ROOM_MORE.
# HTTP1_OK, an Http1Error or BODY_TOO_LARGE; after an error `out` is still good: it is what came before.
cdef int body_take(
    BodyC* body, const Http1LimitsC* limits, const uint8_t* data, size_t size, size_t* taken,
    uint8_t* room, const uint8_t** out, size_t* out_size
) noexcept nogil

# The connection that it comes from has ended: True when that is the body's end, False when it was cut.
cdef bint body_source_ended(BodyC* body) noexcept nogil

# Write what ends a body in chunks that has no trailers; 0 bytes for one that is not written in chunks.
cdef size_t body_end_write(const BodyC* body, uint8_t* out) noexcept nogil
