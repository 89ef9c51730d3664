"""libFuzzer entries of the HTTP/1 codec; each aborts when a promise is broken. No GIL."""

from libc.stdint cimport uint8_t

# A head is parsed whole and byte by byte, judged, written anew and parsed again: all must agree.
cdef int fuzz_http1_request(const uint8_t* data, size_t size) noexcept nogil
# The first byte says what the request was.
cdef int fuzz_http1_response(const uint8_t* data, size_t size) noexcept nogil
# A chunked body, in cuts that the first byte chooses; its body is encoded and decoded again.
cdef int fuzz_http1_chunked(const uint8_t* data, size_t size) noexcept nogil
# Texts to be written, divided by 0xFF: either refused, or found again by parsing.
cdef int fuzz_http1_serialize(const uint8_t* data, size_t size) noexcept nogil
# The first byte chooses the options.
cdef int fuzz_http1_path(const uint8_t* data, size_t size) noexcept nogil
