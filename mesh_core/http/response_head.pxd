"""The head of a response, written anew for the downstream. Worker thread, no GIL."""

from libc.stdint cimport int64_t, uint8_t
from mesh_core.http.stream cimport StreamC
from mesh_core.http1.framing cimport FramingC
from mesh_core.http1.head cimport HeadC
from mesh_core.http1.serialize cimport OutputC


# Write a final head to the begin of the worker's message buffer, with what the route and the cluster change: its size,
# or an Http1Error. `head` is changed; `output` says how the body goes.
cdef int64_t response_head_write(
    StreamC* stream, HeadC* head, const uint8_t* data, const FramingC* framing, OutputC* output
) noexcept nogil

# The same of an interim one, which nothing changes.
cdef int64_t interim_head_write(StreamC* stream, HeadC* head, const uint8_t* data) noexcept nogil
