"""The hash of the routing tables' texts, a byte at a time: FNV-1a of 64 bits, from a seed that no client knows.

A client chooses what is looked up and not what stands in a table; without the seed it could still aim at the longest
run of taken places.
"""

from libc.stdint cimport uint8_t, uint64_t


cdef inline uint64_t hash_byte(uint64_t hash, uint8_t byte) noexcept nogil:
    return (hash ^ byte) * <uint64_t>0x100000001B3


# The place to begin at is that of the low bits.
cdef inline uint64_t hash_end(uint64_t hash) noexcept nogil:
    return hash ^ hash >> 32
