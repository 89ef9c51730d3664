"""XXH64; the contract stands in hashing.pxd."""

from libc.stdint cimport uint8_t
from libc.string cimport memcpy
from mesh_core.includes.socket cimport AF_INET, AF_INET6

cdef enum:
    PRIME_1 = 0x9E3779B185EBCA87
    PRIME_2 = 0xC2B2AE3D27D4EB4F
    PRIME_3 = 0x165667B19E3779F9
    PRIME_4 = 0x85EBCA77C2B2AE63
    PRIME_5 = 0x27D4EB2F165667C5
    STRIPE_BYTES = 32


cdef uint64_t hash_bytes(const void* data, size_t size, uint64_t seed) noexcept nogil:
    cdef const uint8_t* at = <const uint8_t*>data
    cdef const uint8_t* end = at + size
    cdef uint64_t value
    if size >= STRIPE_BYTES:
        value = stripes(&at, end, seed)
    else:
        value = seed + <uint64_t>PRIME_5
    value += size
    while end - at >= 8:
        value = rotated(value ^ mixed(0, word(at)), 27) * <uint64_t>PRIME_1 + <uint64_t>PRIME_4
        at += 8
    if end - at >= 4:
        value = rotated(value ^ half_word(at) * <uint64_t>PRIME_1, 23) * <uint64_t>PRIME_2 + <uint64_t>PRIME_3
        at += 4
    while at < end:
        value = rotated(value ^ at[0] * <uint64_t>PRIME_5, 11) * <uint64_t>PRIME_1
        at += 1
    value = (value ^ (value >> 33)) * <uint64_t>PRIME_2
    value = (value ^ (value >> 29)) * <uint64_t>PRIME_3
    return value ^ (value >> 32)


cdef uint64_t stripes(const uint8_t** at, const uint8_t* end, uint64_t seed) noexcept nogil:
    """Take in every whole stripe, four lanes of eight bytes each."""
    cdef uint64_t[4] lanes
    cdef uint64_t value
    cdef int lane
    lanes[0] = seed + <uint64_t>PRIME_1 + <uint64_t>PRIME_2
    lanes[1] = seed + <uint64_t>PRIME_2
    lanes[2] = seed
    lanes[3] = seed - <uint64_t>PRIME_1
    while end - at[0] >= STRIPE_BYTES:
        for lane in range(4):
            lanes[lane] = mixed(lanes[lane], word(at[0] + 8 * lane))
        at[0] += STRIPE_BYTES
    value = rotated(lanes[0], 1) + rotated(lanes[1], 7) + rotated(lanes[2], 12) + rotated(lanes[3], 18)
    for lane in range(4):
        value = (value ^ mixed(0, lanes[lane])) * <uint64_t>PRIME_1 + <uint64_t>PRIME_4
    return value


cdef inline uint64_t mixed(uint64_t lane, uint64_t value) noexcept nogil:
    return rotated(lane + value * <uint64_t>PRIME_2, 31) * <uint64_t>PRIME_1


cdef inline uint64_t rotated(uint64_t value, int bits) noexcept nogil:
    return value << bits | value >> (64 - bits)


cdef inline uint64_t word(const uint8_t* at) noexcept nogil:
    cdef uint64_t value
    memcpy(&value, at, sizeof(value))
    return value


cdef inline uint64_t half_word(const uint8_t* at) noexcept nogil:
    cdef uint32_t value
    memcpy(&value, at, sizeof(value))
    return value


cdef bint hash_address(const PeerAddressC* address, uint64_t* out) noexcept nogil:
    if address.family == AF_INET:
        out[0] = hash_bytes(&address.v4.sin_addr, sizeof(address.v4.sin_addr), 0)
    elif address.family == AF_INET6:
        out[0] = hash_bytes(&address.v6.sin6_addr, sizeof(address.v6.sin6_addr), 0)
    else:
        out[0] = 0
        return False
    return True
