"""Paths: normalized once, they stay as they are, and have none of what was to go. No GIL."""

from libc.stdint cimport uint8_t

# The first byte chooses the options.
cdef int fuzz_http1_path(const uint8_t* data, size_t size) noexcept nogil
