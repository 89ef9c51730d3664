"""DER elements (X.690), strict: definite and minimal lengths, everything within its parent. Sans-I/O, no GIL.

A reader is what is left of an element's content. Functions that read return false when what they ask for is not all
there or not DER; then the reader's place means nothing.
"""

from libc.stdint cimport int64_t, uint8_t

cdef enum:
    TAG_INTEGER = 0x02
    TAG_BIT_STRING = 0x03
    TAG_OCTET_STRING = 0x04
    TAG_OID = 0x06
    TAG_SEQUENCE = 0x30


# The bytes are the caller's.
cdef struct DerReaderC:
    const uint8_t* at
    const uint8_t* end


cdef inline size_t der_left(const DerReaderC* reader) noexcept nogil:
    return reader.end - reader.at


# The next element: its tag (of one octet) and its content, in which it has at most 16 MiB less one byte.
cdef bint der_read_element(DerReaderC* reader, uint8_t* tag, DerReaderC* content) noexcept nogil

# The next element, when it has this tag; nothing is read when it has another.
cdef bint der_read_tagged(DerReaderC* reader, uint8_t expected, DerReaderC* content) noexcept nogil

# The one element that the reader holds, when it has this tag and nothing follows.
cdef bint der_read_only(DerReaderC* reader, uint8_t expected, DerReaderC* content) noexcept nogil

# An optional BOOLEAN, false by default. A false written out is let pass, since many issuers do so.
cdef bint der_read_flag(DerReaderC* reader, bint* value) noexcept nogil

# UTCTime YYMMDDhhmmssZ (1950 to 2049) or GeneralizedTime YYYYMMDDhhmmssZ, as RFC 5280, section 4.1.2.5, allows; seconds
# since 1970-01-01 UTC.
cdef bint der_read_time(DerReaderC* reader, int64_t* seconds) noexcept nogil
