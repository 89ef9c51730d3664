"""Names of fields; the contract stands in field_names.pxd."""

from libc.stdint cimport uint64_t
from libc.string cimport memcpy

cdef enum:
    LONGEST = 19               # three words of 8 bytes have room for 24
    CASE_BITS = 0x2020202020202020
    NAMES = 47
    NEITHER = FIELD_NO_TRAILER | FIELD_NO_OPTION

# A name's bytes in lower case; the last words overlap.
cdef struct WordsC:
    uint64_t first
    uint64_t middle
    uint64_t last

cdef struct NameC:
    WordsC words
    uint8_t id
    uint8_t rules


cdef NameC[NAMES] TABLE                # by size
cdef uint8_t[LONGEST + 2] FIRST        # of each size; that of the next size is behind its last


cdef inline WordsC words_of(const uint8_t* name, size_t size) noexcept nogil:
    """A token of up to 24 bytes: those of the same size and words are the same but for the case of letters."""
    cdef WordsC words = WordsC(0, 0, 0)
    cdef size_t index
    if size > 16:
        memcpy(&words.middle, name + 8, 8)
    if size >= 8:
        memcpy(&words.first, name, 8)
        memcpy(&words.last, name + size - 8, 8)
    elif size >= 4:
        memcpy(&words.first, name, 4)
        memcpy(&words.last, name + size - 4, 4)
    else:
        for index in range(size):
            words.first = words.first << 8 | name[index]
    # Of a token's characters only letters become what known names are made of.
    words.first |= CASE_BITS
    words.middle |= CASE_BITS
    words.last |= CASE_BITS
    return words


cdef int make_table() except -1:
    """Fill the tables; when the module is loaded."""
    cdef int index, size
    names = [
        (b"host", FIELD_HOST, NEITHER),
        (b"content-length", FIELD_CONTENT_LENGTH, NEITHER),
        (b"transfer-encoding", FIELD_TRANSFER_ENCODING, NEITHER),
        (b"connection", FIELD_CONNECTION, NEITHER),
        (b"upgrade", FIELD_UPGRADE, FIELD_NO_TRAILER),
        (b"expect", FIELD_EXPECT, NEITHER),
        # RFC 9110, section 7.6.1; the last is of a withdrawn way to HTTP/2 (RFC 9113, section 3.1).
        (b"keep-alive", FIELD_HOP_BY_HOP, FIELD_NO_TRAILER),
        (b"proxy-connection", FIELD_HOP_BY_HOP, FIELD_NO_TRAILER),
        (b"te", FIELD_HOP_BY_HOP, FIELD_NO_TRAILER),
        (b"http2-settings", FIELD_HOP_BY_HOP, FIELD_NO_TRAILER),
        # For the next proxy only, should it have asked (RFC 9110, section 11.7).
        (b"proxy-authorization", FIELD_OTHER, FIELD_NO_TRAILER),
        (b"proxy-authenticate", FIELD_OTHER, FIELD_NO_TRAILER),
        (b"trailer", FIELD_OTHER, FIELD_NO_TRAILER),
    ]
    names += [(name, FIELD_END_TO_END, NEITHER) for name in (
        b"age", b"authorization", b"cache-control", b"content-encoding", b"content-location", b"content-range",
        b"content-type", b"cookie", b"date", b"expires", b"forwarded", b"if-match", b"if-modified-since",
        b"if-none-match", b"if-range", b"if-unmodified-since", b"location", b"max-forwards", b"pragma", b"range",
        b"retry-after", b"set-cookie", b"vary", b"via", b"warning", b"www-authenticate", b"x-forwarded-for",
        b"x-forwarded-host", b"x-forwarded-proto", b"x-real-ip", b"x-request-id", b"traceparent", b"tracestate",
        b"origin",
    )]
    names.sort(key=lambda entry: len(entry[0]))
    for index, (text, id, rules) in enumerate(names):
        TABLE[index] = NameC(words_of(<const uint8_t*><const char*>text, len(text)), id, rules)
    for size in range(LONGEST + 2):
        FIRST[size] = sum(len(entry[0]) < size for entry in names)
    if len(names) != NAMES or FIRST[LONGEST + 1] != NAMES:
        raise AssertionError("the table of names has another size")
    return 0


make_table()


cdef uint8_t field_name_find(const uint8_t* name, size_t size, uint8_t* rules) noexcept nogil:
    cdef const NameC* known
    cdef WordsC words
    cdef size_t index
    rules[0] = 0
    if size > LONGEST:
        return FIELD_OTHER
    words = words_of(name, size)
    for index in range(FIRST[size], FIRST[size + 1]):
        known = &TABLE[index]
        if known.words.first == words.first and known.words.middle == words.middle and known.words.last == words.last:
            rules[0] = known.rules
            return known.id
    return FIELD_OTHER
