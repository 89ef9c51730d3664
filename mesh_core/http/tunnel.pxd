"""After a granted Upgrade or CONNECT: the two connections become one that is relayed. Worker thread, no GIL."""

from libc.stdint cimport int64_t, uint8_t
from mesh_core.http.stream cimport StreamC
from mesh_core.http1.framing cimport FramingC


# Whether a 101 is to one of the protocols that the request named (RFC 9110, section 7.8).
cdef bint tunnel_is_asked_for(const StreamC* stream, const uint8_t* data, const FramingC* framing) noexcept nogil

# Send the response's head, which stands in the worker's message buffer, and what the upstream has sent behind it; then
# what the downstream has sent behind its request; then relay. The stream is over.
cdef void tunnel_begin(StreamC* stream, int64_t head_bytes, const uint8_t* data, size_t size) noexcept nogil
