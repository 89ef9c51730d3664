"""Request methods; the contract stands in method.pxd."""

from libc.stdint cimport uint64_t

cdef enum:
    LONGEST = 7
    CASE_BITS = 0x2020202020202020

cdef uint64_t[METHOD_COUNT] WORDS      # each name as one word


cdef inline uint64_t word_of(const uint8_t* method, size_t size) noexcept nogil:
    cdef uint64_t word = 0
    cdef size_t index
    for index in range(size):
        word = word << 8 | method[index]
    return word


cdef void make_words() noexcept:
    """Fill the table; when the module is loaded."""
    cdef int id
    names = [b"", b"GET", b"HEAD", b"POST", b"PUT", b"DELETE", b"CONNECT", b"OPTIONS", b"TRACE", b"PATCH"]
    for id, name in enumerate(names):
        WORDS[id] = word_of(<const uint8_t*><const char*>name, len(name))


make_words()


cdef int method_find(const uint8_t* method, size_t size) noexcept nogil:
    cdef uint64_t word
    cdef int id
    if size > LONGEST:
        return METHOD_OTHER
    word = word_of(method, size)
    for id in range(<int>METHOD_GET, <int>METHOD_COUNT):
        if WORDS[id] == word:
            return id
    for id in range(<int>METHOD_GET, <int>METHOD_COUNT):
        # Of a token's characters only letters become other letters.
        if WORDS[id] | CASE_BITS == word | CASE_BITS:
            return -1
    return METHOD_OTHER
