"""Writing values into a line of text whose room was reckoned beforehand. Control thread, no GIL.

What came from the network or from the configuration is escaped, by the line's kind.
"""

from libc.stdint cimport int64_t, uint8_t, uint64_t
from libc.string cimport memcpy
from mesh_core.net.address cimport PeerAddressC

cdef enum LineStyle:
    STYLE_JSON_VALUE           # a value of its own: a string in quotes, a number, or null
    STYLE_JSON_PART            # within a string that is in quotes already
    STYLE_TEXT

cdef enum AddressPart:
    ADDRESS_WHOLE
    ADDRESS_HOST
    ADDRESS_PORT


cdef struct OutC:
    uint8_t* data
    size_t size
    int64_t second             # since the epoch, that `second_text` is of
    uint8_t second_text[20]    # "2026-01-01T00:00:00."


cdef inline void put(OutC* out, const void* text, size_t size) noexcept nogil:
    memcpy(out.data + out.size, text, size)
    out.size += size


cdef inline void put_byte(OutC* out, uint8_t byte) noexcept nogil:
    out.data[out.size] = byte
    out.size += 1


# Decimal digits; 20 at most.
cdef void put_number(OutC* out, uint64_t value) noexcept nogil

# A text in this style: at most six times as long, and two quotes. JSON escapes by RFC 8259, section 7, and bytes that
# are no UTF-8 as if they were Latin-1; in plain text quotes, backslashes, control characters and everything that is not
# ASCII becomes \xXX, as nginx writes it.
cdef void put_string(OutC* out, const uint8_t* text, size_t size, int style) noexcept nogil

# What is not known: null, or "-".
cdef void put_absent(OutC* out, int style) noexcept nogil

# RFC 3339 in UTC with milliseconds, as Envoy's %START_TIME%; 26 bytes at most, the quotes of a JSON value included.
cdef void put_time(OutC* out, int64_t us, int style) noexcept nogil

# An address or a part of it (AddressPart).
cdef void put_address(OutC* out, const PeerAddressC* address, int part, int style) noexcept nogil
