"""A response on its way downstream: read, written anew, sent. Worker thread, no GIL."""

from mesh_core.http.stream cimport StreamC


# Go on: the upstream has said something, or has ended, or the downstream takes more. The stream may be over when this
# returns.
cdef void response_continue(StreamC* stream) noexcept nogil
