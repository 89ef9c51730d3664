"""Chunked bodies: the same in any cuts, and when encoded anew, and their trailers. No GIL."""

from libc.stdint cimport uint8_t

# The first byte chooses the cuts.
cdef int fuzz_http1_chunked(const uint8_t* data, size_t size) noexcept nogil
