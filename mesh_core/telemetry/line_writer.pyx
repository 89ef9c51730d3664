"""Writing values into a line of text; the contract stands in line_writer.pxd."""

from libc.time cimport gmtime_r, time_t, tm
from mesh_core.includes.socket cimport AF_INET, AF_INET6, ntohs
from mesh_core.net.address cimport ADDRESS_TEXT_BYTES, address_format

cdef extern from * nogil:
    """
    #include <stdint.h>
    #include <string.h>
    static inline uint64_t hm_eight_bytes(const uint8_t* text) {
        uint64_t word;
        memcpy(&word, text, 8);
        return word;
    }
    """
    uint64_t eight_bytes "hm_eight_bytes"(const uint8_t* text)

cdef enum ByteClass:
    BYTE_PLAIN
    BYTE_ESCAPED
    BYTE_HIGH                  # part of UTF-8, or not

cdef const char* HEX = b"0123456789abcdef"
cdef uint8_t[256] CLASSES
cdef uint8_t[200] PAIRS
cdef int number

for number in range(256):
    CLASSES[number] = BYTE_HIGH if number >= 0x80 else BYTE_ESCAPED if number < 0x20 or number in b'"\\\x7f' else 0
for number in range(100):
    PAIRS[2 * number] = <uint8_t>(48 + number // 10)
    PAIRS[2 * number + 1] = <uint8_t>(48 + number % 10)


cdef inline void put_pair(OutC* out, unsigned int value) noexcept nogil:
    memcpy(out.data + out.size, &PAIRS[2 * value], 2)
    out.size += 2


cdef void put_number(OutC* out, uint64_t value) noexcept nogil:
    cdef uint8_t[20] digits
    cdef int at = 20
    while value >= 100:
        at -= 2
        memcpy(&digits[at], &PAIRS[2 * (value % 100)], 2)
        value //= 100
    if value >= 10:
        at -= 2
        memcpy(&digits[at], &PAIRS[2 * value], 2)
    else:
        at -= 1
        digits[at] = <uint8_t>(c"0" + value)
    put(out, &digits[at], 20 - at)


# --- texts ---

cdef inline uint64_t byte_below(uint64_t word, uint64_t limit) noexcept nogil:
    """Not 0 when one of eight bytes, all below 0x80, is below `limit`."""
    return (word - <uint64_t>0x0101010101010101 * limit) & ~word & <uint64_t>0x8080808080808080


cdef inline bint all_plain(uint64_t word) noexcept nogil:
    cdef uint64_t ones = <uint64_t>0x0101010101010101
    return (
        word & <uint64_t>0x8080808080808080 | byte_below(word, 0x20) | byte_below(word ^ ones * 0x22, 1)
        | byte_below(word ^ ones * 0x5C, 1) | byte_below(word ^ ones * 0x7F, 1)
    ) == 0


cdef inline bint continues(const uint8_t* text, size_t count) noexcept nogil:
    cdef size_t index
    for index in range(1, count):
        if text[index] & 0xC0 != 0x80:
            return False
    return True


cdef size_t utf8_size(const uint8_t* text, size_t left) noexcept nogil:
    """How many bytes the character takes that begins with a byte of 0x80 or more; 0 when that is no UTF-8."""
    cdef uint8_t first = text[0]
    cdef size_t size = 2 if first < 0xE0 else 3 if first < 0xF0 else 4
    if first < 0xC2 or first > 0xF4 or left < size or not continues(text, size):
        return 0
    # Overlong forms, surrogates, and what is beyond U+10FFFF (RFC 3629, section 4).
    if first == 0xE0 and text[1] < 0xA0 or first == 0xED and text[1] > 0x9F:
        return 0
    if first == 0xF0 and text[1] < 0x90 or first == 0xF4 and text[1] > 0x8F:
        return 0
    return size


cdef void put_escape(OutC* out, uint8_t byte, int style) noexcept nogil:
    if style == STYLE_TEXT:
        put(out, b"\\x", 2)
    else:
        put(out, b"\\u00", 4)
    put_byte(out, HEX[byte >> 4])
    put_byte(out, HEX[byte & 15])


cdef size_t put_special(OutC* out, const uint8_t* text, size_t left, int style) noexcept nogil:
    """Put what is not plain; how many bytes of `text` that was."""
    cdef size_t size = utf8_size(text, left) if CLASSES[text[0]] == BYTE_HIGH and style != STYLE_TEXT else 0
    if size:
        put(out, text, size)
        return size
    put_escape(out, text[0], style)
    return 1


cdef void put_string(OutC* out, const uint8_t* text, size_t size, int style) noexcept nogil:
    cdef size_t at = 0
    if style == STYLE_JSON_VALUE:
        put_byte(out, c'"')
    while at < size:
        if size - at >= 8 and all_plain(eight_bytes(text + at)):
            put(out, text + at, 8)
            at += 8
        elif CLASSES[text[at]] == BYTE_PLAIN:
            put_byte(out, text[at])
            at += 1
        else:
            at += put_special(out, text + at, size - at, style)
    if style == STYLE_JSON_VALUE:
        put_byte(out, c'"')


cdef void put_absent(OutC* out, int style) noexcept nogil:
    if style == STYLE_JSON_VALUE:
        put(out, b"null", 4)
    else:
        put_byte(out, c"-")


# --- times and addresses ---

cdef void write_second(OutC* out, int64_t second) noexcept nogil:
    """Keep the text of a second: lines of a busy proxy share it."""
    cdef OutC text
    cdef time_t seconds = second
    cdef tm parts
    gmtime_r(&seconds, &parts)
    text.data, text.size = out.second_text, 0
    put_pair(&text, <unsigned int>((parts.tm_year + 1900) // 100 % 100))
    put_pair(&text, <unsigned int>((parts.tm_year + 1900) % 100))
    put_byte(&text, c"-")
    put_pair(&text, <unsigned int>(parts.tm_mon + 1))
    put_byte(&text, c"-")
    put_pair(&text, <unsigned int>parts.tm_mday)
    put_byte(&text, c"T")
    put_pair(&text, <unsigned int>parts.tm_hour)
    put_byte(&text, c":")
    put_pair(&text, <unsigned int>parts.tm_min)
    put_byte(&text, c":")
    put_pair(&text, <unsigned int>parts.tm_sec)
    put_byte(&text, c".")
    out.second = second


cdef void put_time(OutC* out, int64_t us, int style) noexcept nogil:
    cdef int64_t second = us // 1000000
    cdef unsigned int ms = <unsigned int>(us // 1000 % 1000)
    if second != out.second:
        write_second(out, second)
    if style == STYLE_JSON_VALUE:
        put_byte(out, c'"')
    put(out, out.second_text, 20)
    put_byte(out, <uint8_t>(c"0" + ms // 100))
    put_pair(out, ms % 100)
    put_byte(out, c"Z")
    if style == STYLE_JSON_VALUE:
        put_byte(out, c'"')


cdef void put_v4(OutC* out, const PeerAddressC* address) noexcept nogil:
    cdef const uint8_t* parts = <const uint8_t*>&address.v4.sin_addr
    cdef int index
    for index in range(4):
        if index:
            put_byte(out, c".")
        put_number(out, parts[index])


cdef void put_other(OutC* out, const PeerAddressC* address, int part) noexcept nogil:
    cdef char text[ADDRESS_TEXT_BYTES]
    cdef int size = address_format(address, text)
    cdef int first = 0
    if part == ADDRESS_HOST and address.family == AF_INET6:
        first = 1
        while text[size - 1] != c"]":
            size -= 1
        size -= 1
    put(out, text + first, size - first)


cdef void put_address(OutC* out, const PeerAddressC* address, int part, int style) noexcept nogil:
    cdef bint is_ip = address.family == AF_INET or address.family == AF_INET6
    if not address.family or part == ADDRESS_PORT and not is_ip:
        put_absent(out, style)
        return
    if part == ADDRESS_PORT:
        put_number(out, ntohs(address.v4.sin_port if address.family == AF_INET else address.v6.sin6_port))
        return
    if style == STYLE_JSON_VALUE:
        put_byte(out, c'"')
    if address.family == AF_INET:
        put_v4(out, address)
        if part == ADDRESS_WHOLE:
            put_byte(out, c":")
            put_number(out, ntohs(address.v4.sin_port))
    else:
        put_other(out, address, part)
    if style == STYLE_JSON_VALUE:
        put_byte(out, c'"')
