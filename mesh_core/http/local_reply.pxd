"""Answers that the proxy gives itself. Worker thread, no GIL."""

from libc.stdint cimport uint16_t, uint32_t
from mesh_core.http.stream cimport StreamC
from mesh_core.http1.serialize cimport TextC

# What is said beside the status.
cdef struct ReplyC:
    uint16_t status
    uint32_t flags             # ResponseFlag bits
    uint16_t detail            # Detail
    TextC location             # of a redirect; empty: none
    TextC content_type         # of `body`; empty: text/plain
    TextC body                 # empty: what the detail says, for a status from 400 on


# Answer the stream's request and end the stream; what carried it upstream is cut. If a response has begun already, the
# connection is reset.
cdef void stream_reply(StreamC* stream, const ReplyC* reply) noexcept nogil

# As stream_reply, with nothing but these.
cdef void stream_reply_status(StreamC* stream, uint16_t status, uint32_t flags, uint16_t detail) noexcept nogil
