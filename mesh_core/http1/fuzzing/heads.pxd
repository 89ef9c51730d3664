"""Heads: parsed whole and byte by byte, judged, written anew and parsed again, all of which must agree. No GIL."""

from libc.stdint cimport uint8_t

cdef int fuzz_http1_request(const uint8_t* data, size_t size) noexcept nogil
# The first byte says what the request was.
cdef int fuzz_http1_response(const uint8_t* data, size_t size) noexcept nogil
