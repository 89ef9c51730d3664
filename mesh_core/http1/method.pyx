"""Request methods; the contract stands in method.pxd."""

from libc.string cimport memcpy

cdef enum:
    LONGEST = 7
    CASE_BITS = 0x2020202020202020


cdef inline uint64_t word_of(const uint8_t* method, size_t size) noexcept nogil:
    """Up to LONGEST bytes with a space behind them."""
    cdef uint64_t word = 0
    memcpy(&word, method, size)
    return word | <uint64_t>c" " << 8 * size


cdef void make_words() noexcept:
    """Fill the table; when the module is loaded."""
    cdef int id
    names = [b"GET", b"HEAD", b"POST", b"PUT", b"DELETE", b"CONNECT", b"OPTIONS", b"TRACE", b"PATCH"]
    for id, name in enumerate(names, <int>METHOD_GET):
        METHODS[id].word = word_of(<const uint8_t*><const char*>name, len(name))
        METHODS[id].mask = <uint64_t>-1 >> 8 * (LONGEST - len(name))
        METHODS[id].size = <uint32_t>len(name)


make_words()


cdef int method_find(const uint8_t* method, size_t size) noexcept nogil:
    cdef uint64_t word
    cdef int id
    if size > LONGEST:
        return METHOD_OTHER
    word = word_of(method, size)
    for id in range(<int>METHOD_GET, <int>METHOD_COUNT):
        if METHODS[id].word == word:
            return id
    for id in range(<int>METHOD_GET, <int>METHOD_COUNT):
        # Of a token's characters only letters become other letters.
        if METHODS[id].word | CASE_BITS == word | CASE_BITS:
            return -1
    return METHOD_OTHER
