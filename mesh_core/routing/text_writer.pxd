"""Text written piece by piece into a caller's buffer. Any thread, no GIL."""

from libc.stdint cimport uint8_t, uint64_t
from libc.string cimport memcpy, strlen
from mesh_core.http1.serialize cimport TextC

# Once a piece did not fit nothing more is written.
cdef struct TextWriterC:
    uint8_t* begin
    size_t size
    size_t capacity
    bint overflowed


cdef inline void write_bytes(TextWriterC* writer, const void* bytes, size_t size) noexcept nogil:
    if writer.overflowed or size > writer.capacity - writer.size:
        writer.overflowed = True
    elif size:
        memcpy(writer.begin + writer.size, bytes, size)
        writer.size += size


cdef inline void write_text(TextWriterC* writer, TextC text) noexcept nogil:
    write_bytes(writer, text.bytes, text.size)


cdef inline void write_word(TextWriterC* writer, const char* word) noexcept nogil:
    write_bytes(writer, word, strlen(word))


# 16 hexadecimal digits.
cdef inline void write_key(TextWriterC* writer, uint64_t key) noexcept nogil:
    cdef const char* digits = b"0123456789abcdef"
    cdef uint8_t[16] text
    cdef int index
    for index in range(16):
        text[index] = digits[(key >> (60 - 4 * index)) & 15]
    write_bytes(writer, text, 16)
