"""Heads; the contract stands in head.pxd.

A line is looked at from left to right for the first control character, which must be that of its end, and is parsed
once it is whole.
"""

from libc.string cimport memchr, memcmp, memset
from mesh_core.http1.errors cimport (
    HTTP1_BAD_FIELD_NAME,
    HTTP1_BAD_METHOD,
    HTTP1_BAD_START_LINE,
    HTTP1_BAD_STATUS,
    HTTP1_BAD_VERSION,
    HTTP1_BARE_CR,
    HTTP1_BARE_LF,
    HTTP1_CONTROL_CHARACTER,
    HTTP1_FOLDED_FIELD,
    HTTP1_HEAD_TOO_LARGE,
    HTTP1_OK,
    HTTP1_START_LINE_TOO_LONG,
    HTTP1_TOO_MANY_FIELDS,
    HTTP1_UNSUPPORTED_VERSION,
)
from mesh_core.http1.field_names cimport FIELD_CONTENT_LENGTH, FIELD_TRANSFER_ENCODING, field_name_find
from mesh_core.http1.grammar cimport CLASS_TCHAR, find_control, is_blank, is_digit, is_token, skip
from mesh_core.http1.method cimport method_find
from mesh_core.http1.scan cimport skip_name
from mesh_core.http1.target cimport target_parse

cdef enum Phase:
    PHASE_FIRST                # an empty line may stand before a request (RFC 9112, section 2.2)
    PHASE_START
    PHASE_FIELDS

cdef enum:
    LINE_WHOLE = 1
    VERSION_BYTES = 8          # "HTTP/1.1"
    LONGEST_FRAMING_NAME = 17  # "Transfer-Encoding"
    STATUS_BYTES = 3


cdef void head_begin(HeadC* head, int kind, FieldC* fields) noexcept nogil:
    memset(head, 0, sizeof(HeadC))
    head.kind = <uint8_t>kind
    head.fields = fields
    if kind == HEAD_REQUEST:
        head.phase = PHASE_FIRST
    elif kind == HEAD_RESPONSE:
        head.phase = PHASE_START
    else:
        head.phase = PHASE_FIELDS
        head.minor_version = 1


cdef int head_parse(HeadC* head, const uint8_t* data, size_t size, const Http1LimitsC* limits) noexcept nogil:
    cdef uint32_t begin, end
    cdef int verdict
    while True:
        verdict = find_line_end(head, data, size, limits)
        if verdict != LINE_WHOLE:
            return verdict
        begin, end = head.line_at, head.scan_at
        head.line_at = head.scan_at = end + 2
        if begin == end:
            if head.phase == PHASE_FIELDS:
                head.bytes = end + 2
                return HEAD_COMPLETE
            if head.phase == PHASE_START:
                return HTTP1_BAD_START_LINE
            head.phase = PHASE_START
            continue
        if head.phase == PHASE_FIELDS:
            verdict = parse_field(head, data, size, begin, end, limits)
        elif head.kind == HEAD_REQUEST:
            verdict = parse_request_line(head, data, begin, end)
        else:
            verdict = parse_status_line(head, data, begin, end)
        if verdict:
            return verdict
        head.phase = PHASE_FIELDS


cdef int find_line_end(HeadC* head, const uint8_t* data, size_t size, const Http1LimitsC* limits) noexcept nogil:
    """LINE_WHOLE with `scan_at` at the line's CR, HEAD_INCOMPLETE, or an error."""
    cdef size_t limit = limits.head_bytes
    cdef int too_long = HTTP1_HEAD_TOO_LARGE
    cdef size_t at
    if head.phase != PHASE_FIELDS and head.line_at + <size_t>limits.start_line_bytes + 2 < limit:
        limit = head.line_at + <size_t>limits.start_line_bytes + 2
        too_long = HTTP1_START_LINE_TOO_LONG
    at = find_control(data, head.scan_at, min(size, limit))
    head.scan_at = <uint32_t>at
    if at + 1 >= limit:
        return too_long
    if at == size:
        return HEAD_INCOMPLETE
    if data[at] != c"\r":
        return HTTP1_BARE_LF if data[at] == c"\n" else HTTP1_CONTROL_CHARACTER
    if at + 1 == size:
        return HEAD_INCOMPLETE
    return LINE_WHOLE if data[at + 1] == c"\n" else HTTP1_BARE_CR


cdef int parse_field(
    HeadC* head, const uint8_t* data, size_t size, uint32_t begin, uint32_t end, const Http1LimitsC* limits
) noexcept nogil:
    # The line's end is no character of names, so looking beyond it does no harm.
    cdef uint32_t usual = <uint32_t>skip_name(data, begin, size)
    cdef uint32_t colon = <uint32_t>skip(data, usual, end, CLASS_TCHAR)
    cdef uint32_t first, last = end
    cdef FieldC* field
    if is_blank(data[begin]):
        return HTTP1_FOLDED_FIELD
    if colon == begin or colon == end or data[colon] != c":":
        return HTTP1_BAD_FIELD_NAME
    if usual < colon and mimics_framing(data + begin, colon - begin):
        return HTTP1_BAD_FIELD_NAME
    if head.field_count == limits.field_count:
        return HTTP1_TOO_MANY_FIELDS
    field = &head.fields[head.field_count]
    head.field_count += 1
    first = colon + 1
    while first < end and is_blank(data[first]):
        first += 1
    while last > first and is_blank(data[last - 1]):
        last -= 1
    field.name = SliceC(begin, colon - begin)
    field.value = SliceC(first, last - first)
    field.flags = FIELD_CANONICAL if first == colon + 2 and last == end and data[colon + 1] == c" " else 0
    field.id = field_name_find(data + begin, field.name.size, &field.rules)
    return HTTP1_OK


cdef bint mimics_framing(const uint8_t* name, uint32_t size) noexcept nogil:
    """Whether CGI and its kin, for whom "_" is "-", would take the name for one that says where the message ends."""
    cdef uint8_t[LONGEST_FRAMING_NAME] usual
    cdef uint8_t rules, id
    cdef uint32_t index
    if size > LONGEST_FRAMING_NAME or memchr(name, c"_", size) == NULL:
        return False
    for index in range(size):
        usual[index] = c"-" if name[index] == c"_" else name[index]
    id = field_name_find(usual, size, &rules)
    return id == FIELD_CONTENT_LENGTH or id == FIELD_TRANSFER_ENCODING


cdef int parse_version(HeadC* head, const uint8_t* data, size_t size) noexcept nogil:
    if size != VERSION_BYTES or memcmp(data, b"HTTP/", 5) != 0:
        return HTTP1_BAD_VERSION
    if not is_digit(data[5]) or data[6] != c"." or not is_digit(data[7]):
        return HTTP1_BAD_VERSION
    if data[5] != c"1" or data[7] > c"1":
        return HTTP1_UNSUPPORTED_VERSION
    head.minor_version = data[7] - c"0"
    return HTTP1_OK


cdef int parse_request_line(HeadC* head, const uint8_t* data, uint32_t begin, uint32_t end) noexcept nogil:
    cdef const uint8_t* line_end = data + end
    cdef const uint8_t* first = <const uint8_t*>memchr(data + begin, c" ", end - begin)
    cdef const uint8_t* second
    cdef int method, error
    if first == NULL:
        return HTTP1_BAD_START_LINE
    second = <const uint8_t*>memchr(first + 1, c" ", line_end - first - 1)
    if second == NULL or memchr(second + 1, c" ", line_end - second - 1) != NULL:
        return HTTP1_BAD_START_LINE
    head.method = SliceC(begin, <uint32_t>(first - data) - begin)
    if not is_token(data + begin, head.method.size):
        return HTTP1_BAD_METHOD
    method = method_find(data + begin, head.method.size)
    if method < 0:
        return HTTP1_BAD_METHOD
    head.method_id = <uint8_t>method
    error = parse_version(head, second + 1, line_end - second - 1)
    if error:
        return error
    head.whole_target = SliceC(<uint32_t>(first + 1 - data), <uint32_t>(second - first - 1))
    return target_parse(data, head.whole_target, method, &head.target)


cdef int parse_status_line(HeadC* head, const uint8_t* data, uint32_t begin, uint32_t end) noexcept nogil:
    cdef const uint8_t* digits = data + begin + VERSION_BYTES + 1
    cdef uint32_t reason = begin + VERSION_BYTES + 1 + STATUS_BYTES
    cdef int error
    if reason > end or data[begin + VERSION_BYTES] != c" ":
        return HTTP1_BAD_START_LINE
    error = parse_version(head, data + begin, VERSION_BYTES)
    if error:
        return error
    if not (is_digit(digits[0]) and is_digit(digits[1]) and is_digit(digits[2])) or digits[0] == c"0":
        return HTTP1_BAD_STATUS
    head.status = (digits[0] - c"0") * 100 + (digits[1] - c"0") * 10 + (digits[2] - c"0")
    # Not every server sends the space when it has no reason to give.
    if reason < end:
        if data[reason] != c" ":
            return HTTP1_BAD_STATUS
        reason += 1
    head.reason = SliceC(reason, end - reason)
    return HTTP1_OK
