"""Request methods that framing or retries ask for (RFC 9110, section 9.3; RFC 5789). Sans-I/O, no GIL."""

from libc.stdint cimport uint8_t

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
