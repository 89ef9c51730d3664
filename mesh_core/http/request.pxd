"""A request on its way upstream: routed, written anew, sent. Worker thread, no GIL."""

from libc.stdint cimport uint8_t
from mesh_core.http.stream cimport StreamC
from mesh_core.http1.head cimport HeadC
from mesh_core.relay.connection cimport ConnectionC


# A complete head stands at the begin of data[0:size]: begin a stream for it. What does not belong to the request is
# kept. The stream may be over already when this returns.
cdef void request_begin(ConnectionC* connection, HeadC* head, const uint8_t* data, size_t size) noexcept nogil

# Go on with the body: the downstream has sent more, or the upstream takes more.
cdef void request_continue(StreamC* stream) noexcept nogil

# The client is open: send what waited for that. False when that has ended the stream.
cdef bint request_send_held(StreamC* stream) noexcept nogil
