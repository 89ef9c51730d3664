"""Request targets; the contract stands in target.pxd."""

from libc.string cimport memchr, memcpy
from mesh_core.http1.errors cimport HTTP1_BAD_AUTHORITY, HTTP1_BAD_TARGET, HTTP1_OK
from mesh_core.http1.grammar cimport (
    CLASS_PATH, CLASS_QUERY, CLASS_UNRESERVED, equals_ignoring_case, is_digit, skip, skip_usual,
)
from mesh_core.http1.method cimport METHOD_CONNECT, METHOD_OPTIONS
from mesh_core.includes.likely cimport unlikely
from mesh_core.includes.socket cimport AF_INET6, in6_addr, inet_pton

cdef enum:
    IPV6_TEXT_BYTES = 46       # INET6_ADDRSTRLEN
    HOST_LIMIT = 255           # RFC 1035, section 2.3.4


cdef int target_parse(const uint8_t* data, SliceC whole, int method, TargetC* out) noexcept nogil:
    cdef uint32_t end = whole.at + whole.size
    cdef int error
    out.has_query = False
    out.scheme = out.authority = out.query = SliceC(end, 0)
    if whole.size and data[whole.at] == c"/" and method != METHOD_CONNECT:
        out.form = TARGET_ORIGIN
        return path_and_query(data, whole.at, end, out)
    out.path = out.query
    if method == METHOD_CONNECT:
        out.form = TARGET_AUTHORITY
        out.authority = whole
        return HTTP1_OK if authority_is_valid(data, whole, True) else HTTP1_BAD_AUTHORITY
    if whole.size == 0:
        return HTTP1_BAD_TARGET
    if whole.size == 1 and data[whole.at] == c"*":
        out.form = TARGET_ASTERISK
        out.path = whole
        return HTTP1_OK if method == METHOD_OPTIONS else HTTP1_BAD_TARGET
    out.form = TARGET_ABSOLUTE
    error = absolute_begin(data, whole, out)
    if error:
        return error
    return path_and_query(data, out.authority.at + out.authority.size, end, out)


cdef int absolute_begin(const uint8_t* data, SliceC whole, TargetC* out) noexcept nogil:
    """The scheme and the authority of an absolute form."""
    cdef const uint8_t* begin = data + whole.at
    cdef uint32_t at, end = whole.at + whole.size
    if whole.size > 7 and equals_ignoring_case(begin, b"http://", 7):
        out.scheme = SliceC(whole.at, 4)
    elif whole.size > 8 and equals_ignoring_case(begin, b"https://", 8):
        out.scheme = SliceC(whole.at, 5)
    else:
        return HTTP1_BAD_TARGET
    out.authority.at = at = whole.at + out.scheme.size + 3
    while at < end and data[at] != c"/" and data[at] != c"?" and data[at] != c"#":
        at += 1
    out.authority.size = at - out.authority.at
    if not authority_is_valid(data, out.authority, False):
        return HTTP1_BAD_AUTHORITY
    return HTTP1_OK


cdef int path_and_query(const uint8_t* data, uint32_t at, uint32_t end, TargetC* out) noexcept nogil:
    """The rest of a target, whose path is empty or begins with a slash."""
    out.path.at = at
    at = <uint32_t>skip(data, at, end, CLASS_PATH)
    out.path.size = at - out.path.at
    if at < end and data[at] == c"?":
        out.has_query = True
        out.query.at = at + 1
        at = <uint32_t>skip(data, at + 1, end, CLASS_QUERY)
        out.query.size = at - out.query.at
    return HTTP1_OK if at == end else HTTP1_BAD_TARGET


cdef bint authority_is_valid(const uint8_t* data, SliceC text, bint needs_port) noexcept nogil:
    cdef size_t at, end = text.at + text.size
    if unlikely(text.size and data[text.at] == c"["):
        at = text.at + ip_literal_size(data + text.at, text.size)
    else:
        at = skip_usual(data, text.at, end, CLASS_UNRESERVED)
    if unlikely(at == text.at or at > text.at + <size_t>HOST_LIMIT):
        return False
    if at == end:
        return not needs_port
    return data[at] == c":" and port_is_valid(data + at + 1, end - at - 1)


cdef size_t ip_literal_size(const uint8_t* data, size_t size) noexcept nogil:
    """The length of "[IPv6 address]"; 0 when it is none. Zones mean nothing to another machine (RFC 6874)."""
    cdef char[IPV6_TEXT_BYTES] text
    cdef in6_addr address
    cdef const uint8_t* close = <const uint8_t*>memchr(data, c"]", size)
    cdef size_t count
    if close == NULL:
        return 0
    count = close - data - 1
    if count >= IPV6_TEXT_BYTES or memchr(data, 0, count + 1) != NULL:
        return 0
    memcpy(text, data + 1, count)
    text[count] = 0
    return count + 2 if inet_pton(AF_INET6, text, &address) == 1 else 0


cdef inline bint port_is_valid(const uint8_t* data, size_t size) noexcept nogil:
    cdef uint32_t port = 0
    cdef size_t index
    if size == 0 or size > 5 or data[0] == c"0":
        return False
    for index in range(size):
        if not is_digit(data[index]):
            return False
        port = port * 10 + data[index] - c"0"
    return port <= 65535
