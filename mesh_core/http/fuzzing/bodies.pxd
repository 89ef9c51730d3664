"""Bodies taken apart and framed anew, and what is kept behind them: the same in any cuts. No GIL."""

from libc.stdint cimport uint8_t

# The first byte chooses the kinds of body, the second the cuts and the length.
cdef int fuzz_http_body(const uint8_t* data, size_t size) noexcept nogil
