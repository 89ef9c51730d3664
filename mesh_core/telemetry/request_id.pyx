"""Names for requests; the contract stands in request_id.pxd."""

from mesh_core.includes.linux cimport EINTR, errno, getrandom

cdef const char* HEX = b"0123456789abcdef"


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
    cdef int index
    cdef int at = 0
    numbers[0] = request_id_number(ids)
    numbers[1] = request_id_number(ids)
    bytes[6] = bytes[6] & 0x0F | 0x40
    bytes[8] = bytes[8] & 0x3F | 0x80
    for index in range(16):
        if index == 4 or index == 6 or index == 8 or index == 10:
            out[at] = c"-"
            at += 1
        out[at] = HEX[bytes[index] >> 4]
        out[at + 1] = HEX[bytes[index] & 15]
        at += 2
