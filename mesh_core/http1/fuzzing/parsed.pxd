"""Parsed messages, as the fuzz targets compare them. No GIL."""

from libc.stdint cimport uint8_t, uint32_t
from libc.stdlib cimport abort
from mesh_core.http1.framing cimport FramingC
from mesh_core.http1.grammar cimport SliceC
from mesh_core.http1.head cimport FieldC, HeadC
from mesh_core.http1.serialize cimport OutputC, TextC

cdef enum:
    FIELDS = 24
    MORE_FIELDS = FIELDS + 4   # those that writing may add
    HEAD_BYTES = 4096
    MORE_BYTES = 3 * HEAD_BYTES

# A parsed head with all that belongs to it.
cdef struct ParsedC:
    FieldC[MORE_FIELDS] fields
    HeadC head
    FramingC framing


cdef inline void check(bint holds) noexcept nogil:
    if not holds:
        abort()


cdef inline TextC text(const uint8_t* data, SliceC slice) noexcept nogil:
    return TextC(data + slice.at, slice.size)


# Parse in one piece; what was written from a parsed head may be `factor` 3 times as much.
cdef int parse(ParsedC* parsed, int kind, const uint8_t* data, size_t size, uint32_t factor) noexcept nogil

# Parse in one piece and byte by byte, which must agree; the verdict.
cdef int parse_cut(ParsedC* whole, int kind, const uint8_t* data, size_t size) noexcept nogil

# Whether two slices say the same.
cdef bint same(const uint8_t* one, SliceC first, const uint8_t* other, SliceC second) noexcept nogil

# What passes a message on as it was judged.
cdef OutputC output_of(const FramingC* framing) noexcept nogil

# Both messages must end at the same place and mean the same for their connection.
cdef void check_same_framing(const FramingC* first, const FramingC* second) noexcept nogil

# `count` fields from `first` and from `second` on must say the same.
cdef void check_fields(
    const ParsedC* one, uint32_t first, const uint8_t* data, const ParsedC* other, uint32_t second,
    const uint8_t* written, uint32_t count
) noexcept nogil
