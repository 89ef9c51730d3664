"""Where a request goes: what routing sees of it, its route, cluster and endpoint. Worker thread, no GIL."""

from libc.stdint cimport uint8_t
from mesh_core.http.stream cimport StreamC
from mesh_core.http1.framing cimport FramingC
from mesh_core.http1.head cimport HeadC
from mesh_core.routing.request_view cimport RequestViewC
from mesh_core.snapshot.tables cimport EndpointC


# Fill in `view`, its path normalized, in the worker's memory until the next request. False when the request is
# answered: the stream may be over.
cdef bint request_look(
    StreamC* stream, const HeadC* head, const uint8_t* data, const FramingC* framing, RequestViewC* view
) noexcept nogil

# Find its route; False when there is none, and the request is answered, so too.
cdef bint request_find_route(StreamC* stream, const RequestViewC* view) noexcept nogil

# Do what the route asks for: take a place in its cluster and an endpoint there, or give an answer of our own. False
# when the request is answered, so too.
cdef bint request_route(
    StreamC* stream, HeadC* head, const FramingC* framing, const RequestViewC* view
) noexcept nogil

# Its body is larger than its route allows: answer.
cdef void request_too_large(StreamC* stream) noexcept nogil

# An endpoint of its cluster for the stream, not one that was tried while there is another; NULL: there is none.
cdef EndpointC* request_pick(const StreamC* stream) noexcept nogil
