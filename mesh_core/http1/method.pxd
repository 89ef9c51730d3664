"""Request methods that framing or retries ask for (RFC 9110, section 9.3; RFC 5789). Sans-I/O, no GIL."""

from libc.stdint cimport uint8_t, uint32_t, uint64_t
from mesh_core.http1.scan cimport load_word

cdef enum HttpMethod:
    METHOD_OTHER
    METHOD_GET
    METHOD_HEAD
    METHOD_POST
    METHOD_PUT
    METHOD_DELETE
    METHOD_CONNECT
    METHOD_OPTIONS
    METHOD_TRACE
    METHOD_PATCH
    METHOD_COUNT


# One of HttpMethod, for a token; -1 for one of them in other case: an upstream that does not mind the case would see
# another method, and so another end of the message, than we do.
cdef int method_find(const uint8_t* method, size_t size) noexcept nogil


# A known method's name with the space behind it, and the bits that both take of a word.
cdef struct MethodWordC:
    uint64_t word
    uint64_t mask
    uint32_t size              # without the space

cdef MethodWordC[METHOD_COUNT] METHODS


# The known method that a line of at least 8 bytes begins with, a space behind it; else METHOD_OTHER.
cdef inline int method_begin(const uint8_t* line) noexcept nogil:
    cdef uint64_t word = load_word(line)
    cdef int id
    for id in range(<int>METHOD_GET, <int>METHOD_COUNT):
        if word & METHODS[id].mask == METHODS[id].word:
            return id
    return METHOD_OTHER
