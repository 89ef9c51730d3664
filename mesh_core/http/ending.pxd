"""How a stream ends. Worker thread, no GIL."""

from libc.stdint cimport uint16_t, uint32_t
from mesh_core.http.stream cimport StreamC

# All of the response was given to the downstream. The stream and what it borrowed are given back; the connection waits
# for downstream_continue.
cdef void stream_complete(StreamC* stream) noexcept nogil

# It cannot be completed: its connection is reset, and with it everything ends. ResponseFlag bits, and a Detail.
cdef void stream_cut(StreamC* stream, uint32_t flags, uint16_t detail) noexcept nogil

# Its connection is about to end: nothing of it is left.
cdef void stream_drop(StreamC* stream) noexcept nogil
