"""Request methods; the contract stands in method.pxd."""

from libc.string cimport memcmp, strlen
from mesh_core.http1.grammar cimport equals_ignoring_case

cdef const char* NAMES[METHOD_COUNT]
NAMES[:] = [b"", b"GET", b"HEAD", b"POST", b"PUT", b"DELETE", b"CONNECT", b"OPTIONS", b"TRACE", b"PATCH"]


cdef int method_find(const uint8_t* method, size_t size) noexcept nogil:
    cdef int id
    for id in range(<int>METHOD_GET, <int>METHOD_COUNT):
        if strlen(NAMES[id]) == size and equals_ignoring_case(method, <const uint8_t*>NAMES[id], size):
            return id if memcmp(method, NAMES[id], size) == 0 else -1
    return METHOD_OTHER
