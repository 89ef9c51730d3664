"""What the head of a response says to a downstream of HTTP/1 of its body and of the connection. No GIL."""

from libc.stdint cimport uint64_t
from mesh_core.http.stream cimport StreamC
from mesh_core.http1.serialize cimport OutputC


# Fill in how the body goes, which comes as `body` (BodyKind) and has `length` bytes if that is known; output.body says
# how. Sets STREAM_LAST where the connection cannot go on behind it.
cdef void downstream_framing(StreamC* stream, int body, uint64_t length, OutputC* output) noexcept nogil
