"""Values of fields that are numbers or dates: whatever they say, a time within bounds comes of it, or none. No GIL."""

from libc.stdint cimport uint8_t

# The input is a value of Retry-After, of Date, and of Keep-Alive.
cdef int fuzz_http1_values(const uint8_t* data, size_t size) noexcept nogil
