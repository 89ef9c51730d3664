"""Texts to be written: either refused, or found again by parsing. No GIL."""

from libc.stdint cimport uint8_t

# The first byte is the room there is, in units of 16 bytes; the texts are divided by 0xFF.
cdef int fuzz_http1_serialize(const uint8_t* data, size_t size) noexcept nogil
