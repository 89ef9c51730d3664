"""The characters and lists of HTTP, by look-up. Sans-I/O, no GIL.

RFC 9110, section 5.6 (tokens, lists, white space), RFC 3986 (URIs).
"""

from libc.stdint cimport uint8_t, uint32_t, uint64_t
from mesh_core.http1.scan cimport SCAN_LEAST, skip_name, skip_text
from mesh_core.includes.likely cimport likely

# A piece of the buffer that a message was parsed from, counted from that buffer's begin.
cdef struct SliceC:
    uint32_t at
    uint32_t size


cdef extern from * nogil:
    """
    #ifndef HOPMESH_HTTP1_GRAMMAR
    #define HOPMESH_HTTP1_GRAMMAR
    #include <stdint.h>
    #define HM_TCHAR 1       /* RFC 9110, 5.6.2 */
    #define HM_PATH 2        /* in a path; more than RFC 3986 has, as browsers send it */
    #define HM_QUERY 4       /* in a query; so too */
    #define HM_UNRESERVED 8  /* RFC 3986, 2.3; in a host name or an address */
    #define HM_CONTROL 16    /* not in a field's value: RFC 9110, 5.5 */
    #define HM_NAME (HM_TCHAR | HM_PATH | HM_QUERY | HM_UNRESERVED)
    #define HM_SIGN (HM_TCHAR | HM_PATH | HM_QUERY)
    #define HM_URI (HM_PATH | HM_QUERY)
    static const uint8_t hm_classes[256] = {
        [0 ... 8] = HM_CONTROL, [10 ... 31] = HM_CONTROL, [127] = HM_CONTROL,
        ['a' ... 'z'] = HM_NAME, ['A' ... 'Z'] = HM_NAME, ['0' ... '9'] = HM_NAME,
        ['-'] = HM_NAME, ['.'] = HM_NAME, ['_'] = HM_NAME, ['~'] = HM_NAME,
        ['!'] = HM_SIGN, ['$'] = HM_SIGN, ['%'] = HM_SIGN, ['&'] = HM_SIGN, ['\\''] = HM_SIGN, ['*'] = HM_SIGN,
        ['+'] = HM_SIGN, ['^'] = HM_SIGN, ['`'] = HM_SIGN, ['|'] = HM_SIGN, ['#'] = HM_TCHAR,
        ['('] = HM_URI, [')'] = HM_URI, [','] = HM_URI, [';'] = HM_URI, [':'] = HM_URI, ['@'] = HM_URI,
        ['/'] = HM_URI, ['='] = HM_URI, ['['] = HM_URI, [']'] = HM_URI, ['{'] = HM_URI, ['}'] = HM_URI,
        ['?'] = HM_QUERY, ['\\\\'] = HM_QUERY,
    };
    #endif
    """
    const uint8_t* CHARACTER_CLASSES "hm_classes"
    enum:
        CLASS_TCHAR "HM_TCHAR"
        CLASS_PATH "HM_PATH"
        CLASS_QUERY "HM_QUERY"
        CLASS_UNRESERVED "HM_UNRESERVED"
        CLASS_CONTROL "HM_CONTROL"


cdef inline bint is_of(uint8_t character, uint8_t classes) noexcept nogil:
    return CHARACTER_CLASSES[character] & classes != 0


cdef inline bint is_digit(uint8_t character) noexcept nogil:
    return c"0" <= character <= c"9"


cdef inline bint is_blank(uint8_t character) noexcept nogil:
    return character == c" " or character == c"\t"


cdef inline uint8_t lower(uint8_t character) noexcept nogil:
    return character | 0x20 if c"A" <= character <= c"Z" else character


# 0 to 15, or -1.
cdef inline int hex_digit(uint8_t character) noexcept nogil:
    if is_digit(character):
        return character - c"0"
    character |= 0x20
    return character - c"a" + 10 if c"a" <= character <= c"f" else -1


# The index of the first byte from `at` on that is not of `classes`; `end` when there is none.
cdef inline size_t skip(const uint8_t* data, size_t at, size_t end, uint8_t classes) noexcept nogil:
    while at < end and is_of(data[at], classes):
        at += 1
    return at


# The index of the first control character but tab from `at` on; `end` when there is none. data[0:end] is read.
cdef inline size_t find_control(const uint8_t* data, size_t at, size_t end) noexcept nogil:
    if likely(end >= SCAN_LEAST):
        return skip_text(data, at, end)
    while at < end and not is_of(data[at], CLASS_CONTROL):
        at += 1
    return at


# As `skip` over characters of CLASS_UNRESERVED or CLASS_TCHAR, most of which are passed over at once. data[0:end] is
# read.
cdef inline size_t skip_usual(const uint8_t* data, size_t at, size_t end, uint8_t classes) noexcept nogil:
    return skip(data, skip_name(data, at, end) if likely(end >= SCAN_LEAST) else at, end, classes)


# Whether two texts of `size` bytes are the same but for the case of ASCII letters.
cdef bint equals_ignoring_case(const uint8_t* one, const uint8_t* other, size_t size) noexcept nogil

# Whether `size` bytes are a token: one character at least.
cdef bint is_token(const uint8_t* data, size_t size) noexcept nogil

# The next element of a comma-separated list in data[at[0]:end], without the white space around it; empty elements are
# passed over (RFC 9110, 5.6.1.2). `at` moves behind it. False when there are no more.
cdef bint list_next(const uint8_t* data, uint32_t* at, uint32_t end, SliceC* element) noexcept nogil

# Decimal digits and nothing else, up to 2^63 - 1; false for any other text.
cdef bint parse_decimal(const uint8_t* data, size_t size, uint64_t* value) noexcept nogil

# Writes `value` without leading zeros; 1 to 20 bytes.
cdef size_t write_decimal(uint8_t* out, uint64_t value) noexcept nogil
