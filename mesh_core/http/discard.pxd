"""Answers to requests that nobody waits for: read as strictly as any, and thrown away. Worker thread, no GIL."""

from libc.stdint cimport uint8_t
from mesh_core.http.stream cimport StreamC

cdef enum DiscardVerdict:
    DISCARD_MALFORMED = -1     # or memory is exhausted
    DISCARD_MORE
    DISCARD_ENDED              # the whole answer has come; STREAM_CLIENT_LAST is set where the client cannot go on


# Bytes have come of the client of `stream`; the statistics of its endpoint and its cluster are told of the answer's
# status.
cdef int discard_take(StreamC* stream, const uint8_t* data, size_t size) noexcept nogil
