"""Names for requests; the contract stands in request_id.pxd."""

from libc.string cimport memcpy
from mesh_core.includes.linux cimport EINTR, errno, getrandom

cdef extern from * nogil:
    """
    #include <stdint.h>
    #include <string.h>

    /* The two hexadecimal digits of each of 8 bytes. */
    static inline void hm_hex(const uint8_t *bytes, uint8_t *digits) {
        typedef uint8_t block __attribute__((vector_size(8)));
        typedef uint8_t text __attribute__((vector_size(16)));
        typedef uint16_t pairs __attribute__((vector_size(16)));
        block in;
        memcpy(&in, bytes, 8);
        pairs each = __builtin_convertvector(in, pairs);
        text out = (text)(each >> 4 | (each & 15) << 8);
        out += '0' + ((text)(out > 9) & ('a' - '0' - 10));
        memcpy(digits, &out, 16);
    }
    """
    void write_hex "hm_hex"(const uint8_t* bytes, uint8_t* digits)


cdef int request_ids_init(RequestIdsC* ids) noexcept nogil:
    # Up to 256 bytes come whole, and are not interrupted once the kernel has been seeded (getrandom(2)).
    while getrandom(ids.state, sizeof(ids.state), 0) != <ssize_t>sizeof(ids.state):
        if errno != EINTR:
            return errno
    ids.state[0] |= 1
    return 0


cdef inline uint64_t rotate(uint64_t value, int by) noexcept nogil:
    return value << by | value >> (64 - by)


cdef uint64_t request_id_number(RequestIdsC* ids) noexcept nogil:
    """The next of xoroshiro128++ (Blackman and Vigna, 2019): workers that are seeded apart do not meet."""
    cdef uint64_t first = ids.state[0]
    cdef uint64_t second = ids.state[1]
    cdef uint64_t result = rotate(first + second, 17) + first
    second ^= first
    ids.state[0] = rotate(first, 49) ^ second ^ (second << 21)
    ids.state[1] = rotate(second, 28)
    return result


cdef void request_id_write(RequestIdsC* ids, uint8_t* out) noexcept nogil:
    cdef uint64_t numbers[2]
    cdef uint8_t* bytes = <uint8_t*>numbers
    cdef uint8_t[32] digits
    numbers[0] = request_id_number(ids)
    numbers[1] = request_id_number(ids)
    bytes[6] = bytes[6] & 0x0F | 0x40
    bytes[8] = bytes[8] & 0x3F | 0x80
    write_hex(bytes, digits)
    write_hex(bytes + 8, digits + 16)
    memcpy(out, digits, 8)
    memcpy(out + 9, digits + 8, 4)
    memcpy(out + 14, digits + 12, 4)
    memcpy(out + 19, digits + 16, 4)
    memcpy(out + 24, digits + 20, 12)
    out[8] = out[13] = out[18] = out[23] = c"-"
