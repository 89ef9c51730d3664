"""Fuzz target of paths; what it promises stands in paths.pxd."""

from libc.string cimport memcmp, memcpy
from mesh_core.http1.fuzzing.parsed cimport check
from mesh_core.http1.path cimport PATH_REDIRECT, PATH_SAME, PathOptionsC, path_normalize

cdef enum:
    TEXT_BYTES = 8192


cdef int fuzz_http1_path(const uint8_t* data, size_t size) noexcept nogil:
    cdef uint8_t[TEXT_BYTES] first
    cdef uint8_t[TEXT_BYTES] second
    cdef PathOptionsC options
    cdef size_t first_bytes, second_bytes, index
    cdef int verdict
    if size == 0 or size > TEXT_BYTES:
        return 0
    options.normalize = data[0] & 1
    options.merge_slashes = (data[0] >> 1) & 1
    options.escaped_slashes = (data[0] >> 2) & 3
    data += 1
    size -= 1
    verdict = path_normalize(&options, data, size, first, &first_bytes)
    if verdict < 0:
        return 0
    check(first_bytes <= size)
    check(verdict != PATH_SAME or (first_bytes == size and memcmp(first, data, size) == 0))
    memcpy(second, data, size)
    check(path_normalize(&options, second, size, second, &second_bytes) == verdict)
    check(first_bytes == second_bytes and memcmp(first, second, first_bytes) == 0)
    check(path_normalize(&options, first, first_bytes, second, &second_bytes) == PATH_SAME)
    if size == 0 or data[0] != c"/":
        check(verdict == PATH_SAME)
        return 0
    check(first[0] == c"/" and (verdict != PATH_REDIRECT or options.escaped_slashes == 2))
    for index in range(1, first_bytes):
        if options.merge_slashes:
            check(first[index] != c"/" or first[index - 1] != c"/")
        if options.normalize and first[index] == c"." and first[index - 1] == c"/":
            check(index + 1 < first_bytes and first[index + 1] != c"/")
    return 0
