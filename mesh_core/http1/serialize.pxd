"""Writing heads anew, so that what leaves is one unambiguous message. Sans-I/O, no GIL.

Fields that are passed on keep their order and their names' case; those that frame the message are written from what
the caller says, at the place where they were, or at the end. The version is always HTTP/1.1 (RFC 9110, section 2.5).
"""

from libc.stdint cimport int64_t, uint8_t, uint16_t, uint32_t, uint64_t
from mesh_core.http1.head cimport HeadC

cdef enum ConnectionWord:
    CONNECTION_UNSAID          # HTTP/1.1's default: it goes on
    CONNECTION_CLOSE
    CONNECTION_KEEP_ALIVE      # for a peer of 1.0
    CONNECTION_UPGRADE         # with the head's Upgrade field, which must be there

# Bytes that live somewhere else; NULL only when there are none.
cdef struct TextC:
    const uint8_t* bytes
    size_t size

cdef struct AddedFieldC:
    TextC name
    TextC value

# What the message is framed by, and what comes behind the received fields; zeroed, it adds nothing. Names are tokens in
# whatever case. Received fields that are not passed on have FIELD_REMOVED; see routing/header_edits.pxd.
cdef struct OutputC:
    uint8_t body               # BodyKind; BODY_UNTIL_CLOSE is written with "Connection: close"
    uint8_t connection         # ConnectionWord
    bint states_length         # write `length` though there is no body (HEAD, 304)
    uint64_t length
    TextC own_lines            # fields of this program's making, each with its CRLF: written as they are
    const AddedFieldC* added   # behind all others, in order, whatever there is
    uint32_t added_count
    uint32_t own_count         # the first of them, whose names and values are of this program's making: not looked at


# Write the request `head`, which request_framing has judged, to `target` with Host `authority`. The bytes written, or
# HTTP1_OUTPUT_OVERFLOW, or HTTP1_OUTPUT_START_LINE when a text is not what it should be, or HTTP1_OUTPUT_FIELD when a
# field that is to be added is malformed or one that frames messages. After an error the buffer's content means nothing.
cdef int64_t request_write(
    const HeadC* head, const uint8_t* data, TextC target, TextC authority, const OutputC* output,
    uint8_t* out, size_t capacity
) noexcept nogil

# Write a response with `head`'s fields, which response_framing has judged or which are none; so too.
cdef int64_t response_write(
    const HeadC* head, const uint8_t* data, uint16_t status, TextC reason, const OutputC* output,
    uint8_t* out, size_t capacity
) noexcept nogil

# Write trailers that trailers_check has judged, with the empty line behind them; so too.
cdef int64_t trailers_write(const HeadC* trailers, const uint8_t* data, uint8_t* out, size_t capacity) noexcept nogil
