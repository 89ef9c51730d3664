"""Names of fields that mean something to whoever passes messages on. Sans-I/O, no GIL."""

from libc.stdint cimport uint8_t, uint64_t
from libc.string cimport memcpy

cdef enum FieldName:
    FIELD_OTHER
    FIELD_HOST
    FIELD_CONTENT_LENGTH
    FIELD_TRANSFER_ENCODING
    FIELD_CONNECTION
    FIELD_UPGRADE
    FIELD_EXPECT
    FIELD_KEEP_ALIVE           # hop by hop as well
    FIELD_HOP_BY_HOP           # always for this connection only: see field_names.pyx
    FIELD_END_TO_END           # never: names by which messages are understood; so too those that follow
    FIELD_X_REQUEST_ID
    FIELD_X_FORWARDED_FOR
    FIELD_X_FORWARDED_PROTO
    FIELD_NAME_COUNT

# What may not come in trailers, because it says how a message is framed, routed, authenticated or read (RFC 9110,
# section 6.5.1), nor be named by Connection (section 7.6.1).
cdef enum FieldRule:
    FIELD_NO_TRAILER = 1
    FIELD_NO_OPTION = 2

cdef enum:
    LONGEST_NAME = 19          # of those known; three words of 8 bytes have room for 24
    NAME_SLOTS = 256
    NAME_CASE_BITS = 0x2020202020202020


# A name's bytes in lower case; the last words overlap.
cdef struct WordsC:
    uint64_t first
    uint64_t middle
    uint64_t last

cdef struct NameC:
    WordsC words
    uint8_t size
    uint8_t id
    uint8_t rules


cdef NameC[NAME_SLOTS] NAMES   # each at its words' hash or behind it; of size 0 where there is none


cdef inline WordsC words_of(const uint8_t* name, size_t size) noexcept nogil:
    """A token of up to 24 bytes: those of the same size and words are the same but for the case of letters."""
    cdef WordsC words = WordsC(0, 0, 0)
    cdef size_t index
    if size >= 8:
        memcpy(&words.first, name, 8)
        memcpy(&words.last, name + size - 8, 8)
        if size > 16:
            memcpy(&words.middle, name + 8, 8)
    elif size >= 4:
        memcpy(&words.first, name, 4)
        memcpy(&words.last, name + size - 4, 4)
    else:
        for index in range(size):
            words.first = words.first << 8 | name[index]
    # Of a token's characters only letters become what known names are made of.
    words.first |= NAME_CASE_BITS
    words.middle |= NAME_CASE_BITS
    words.last |= NAME_CASE_BITS
    return words


cdef inline uint8_t words_hash(const WordsC* words) noexcept nogil:
    return <uint8_t>((words.first ^ words.last * 3) * <uint64_t>0x9E3779B97F4A7C15 >> 56)


# One of FieldName, for a token in whatever case; `rules` becomes its FieldRule bits.
cdef inline uint8_t field_name_find(const uint8_t* name, size_t size, uint8_t* rules) noexcept nogil:
    cdef const NameC* known
    cdef WordsC words
    cdef uint8_t slot
    rules[0] = 0
    if size > LONGEST_NAME:
        return FIELD_OTHER
    words = words_of(name, size)
    slot = words_hash(&words)
    while True:
        known = &NAMES[slot]
        if known.size == 0:
            return FIELD_OTHER
        if known.size == size and known.words.first == words.first and known.words.last == words.last and (
                known.words.middle == words.middle):
            rules[0] = known.rules
            return known.id
        slot += 1
