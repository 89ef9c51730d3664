"""What a proxy that is short of memory or descriptors does with requests. Worker thread, no GIL."""

from mesh_core.http.stream cimport StreamC


# Actions are in force: whether a request, whose route was found, may go on. Else it is answered, and the stream may be
# over.
cdef bint overload_admits(StreamC* stream) noexcept nogil
