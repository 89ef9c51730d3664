"""Names of fields that mean something to whoever passes messages on. Sans-I/O, no GIL."""

from libc.stdint cimport uint8_t

cdef enum FieldName:
    FIELD_OTHER
    FIELD_HOST
    FIELD_CONTENT_LENGTH
    FIELD_TRANSFER_ENCODING
    FIELD_CONNECTION
    FIELD_UPGRADE
    FIELD_EXPECT
    FIELD_HOP_BY_HOP           # always for this connection only: see field_names.pyx
    FIELD_END_TO_END           # never: names by which messages are understood

# What may not come in trailers, because it says how a message is framed, routed, authenticated or read (RFC 9110,
# section 6.5.1), nor be named by Connection (section 7.6.1).
cdef enum FieldRule:
    FIELD_NO_TRAILER = 1
    FIELD_NO_OPTION = 2


# One of FieldName, for a token in whatever case; `rules` becomes its FieldRule bits.
cdef uint8_t field_name_find(const uint8_t* name, size_t size, uint8_t* rules) noexcept nogil
