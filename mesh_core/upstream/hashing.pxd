"""The hash of balancers that hash, and the random numbers of those that draw lots. Any thread, no GIL."""

from libc.stdint cimport uint32_t, uint64_t
from mesh_core.net.address cimport PeerAddressC

cdef enum:
    # 2^64 divided by the golden ratio: multiples of it are spread evenly over 64 bits, however many there are.
    GOLDEN_STEP = 0x9E3779B97F4A7C15

cdef extern from * nogil:
    """
    #define hm_multiply_high(a, b) ((uint64_t)(((unsigned __int128)(a) * (b)) >> 64))
    """
    # The upper half of a product: scales a number of 64 random bits to one below `b`.
    uint64_t multiply_high "hm_multiply_high"(uint64_t a, uint64_t b)


# XXH64 (the xxHash specification, version 0.1.1), which Envoy's ring hash and Maglev use.
cdef uint64_t hash_bytes(const void* data, size_t size, uint64_t seed) noexcept nogil


# A permutation of all 64-bit numbers that leaves no relation to see between two neighbours (SplitMix64's).
cdef inline uint64_t mix_bits(uint64_t value) noexcept nogil:
    value = (value ^ (value >> 30)) * <uint64_t>0xBF58476D1CE4E5B9
    value = (value ^ (value >> 27)) * <uint64_t>0x94D049BB133111EB
    return value ^ (value >> 31)


# The next of a sequence of random numbers, SplitMix64; `state` may begin with anything.
cdef inline uint64_t random_next(uint64_t* state) noexcept nogil:
    state[0] += <uint64_t>GOLDEN_STEP
    return mix_bits(state[0])


# How the 64-bit numbers are divided into stretches of 2^shift for a guide: a power of two of them, at least two (as a
# shift by 64 bits is not defined) and at least `count`.
cdef inline uint32_t stretch_shift(uint32_t count) noexcept nogil:
    cdef uint32_t shift = 63
    while <uint64_t>1 << (64 - shift) < count:
        shift -= 1
    return shift

# The hash of an address without its port; False, and 0, when there is none.
cdef bint hash_address(const PeerAddressC* address, uint64_t* out) noexcept nogil
