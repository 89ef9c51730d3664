"""Heads; the contract stands in head.pxd.

A line is looked at from left to right for the first control character, which must be that of its end, and is parsed
once it is whole.
"""

from libc.string cimport memchr, memcmp
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
from mesh_core.http1.field_names cimport FIELD_CONTENT_LENGTH, FIELD_OTHER, FIELD_TRANSFER_ENCODING, field_name_find
from mesh_core.http1.grammar cimport CLASS_TCHAR, find_control, is_blank, is_digit, is_token, skip
from mesh_core.http1.method cimport METHOD_OTHER, METHODS, method_begin, method_find
from mesh_core.http1.scan cimport SCAN_LEAST, load_word, skip_name
from mesh_core.http1.target cimport target_parse
from mesh_core.includes.likely cimport likely, unlikely

cdef enum Phase:
    PHASE_FIRST                # an empty line may stand before a request (RFC 9112, section 2.2)
    PHASE_START
    PHASE_FIELDS

cdef enum:
    START_WHOLE = 1
    VERSION_BYTES = 8          # "HTTP/1.1"
    LONGEST_FRAMING_NAME = 17  # "Transfer-Encoding"
    STATUS_BYTES = 3
    LEAST_REQUEST_LINE = 14    # "GET / HTTP/1.1"


cdef void head_begin(HeadC* head, int kind, FieldC* fields) noexcept nogil:
    head.fields = fields
    head.field_count = head.bytes = head.names = head.repeated = head.line_at = head.scan_at = 0
    head.kind = <uint8_t>kind
    head.phase = PHASE_FIRST if kind == HEAD_REQUEST else PHASE_START if kind == HEAD_RESPONSE else PHASE_FIELDS
    head.minor_version = kind == HEAD_TRAILERS
    head.method_id = METHOD_OTHER
    head.status = 0
    head.length = 0
    head.whole_target = head.reason = SliceC(0, 0)


cdef int head_parse(HeadC* head, const uint8_t* data, size_t size, const Http1LimitsC* limits) noexcept nogil:
    cdef int error
    while head.phase != PHASE_FIELDS:
        error = parse_start(head, data, size, limits)
        if unlikely(error != START_WHOLE):
            return error
    return parse_fields(head, data, size, limits)


cdef inline int parse_start(HeadC* head, const uint8_t* data, size_t size, const Http1LimitsC* limits) noexcept nogil:
    """The start line, or the empty one before it: START_WHOLE, HEAD_INCOMPLETE or an error."""
    cdef size_t limit = min(<size_t>limits.head_bytes, head.line_at + <size_t>limits.start_line_bytes + 2)
    cdef size_t end = find_control(data, head.scan_at, min(size, limit))
    cdef uint32_t begin = head.line_at
    cdef int error
    if unlikely(not ends_line(data, end, min(size, limit))):
        head.scan_at = <uint32_t>end
        return line_fault(
            data, end, size, limit,
            HTTP1_START_LINE_TOO_LONG if limit < limits.head_bytes else HTTP1_HEAD_TOO_LARGE)
    head.line_at = head.scan_at = <uint32_t>end + 2
    if unlikely(end == begin):
        if head.phase == PHASE_START:
            return HTTP1_BAD_START_LINE
        head.phase = PHASE_START
        return START_WHOLE
    head.phase = PHASE_FIELDS
    if head.kind == HEAD_RESPONSE:
        error = parse_status_line(head, data, begin, <uint32_t>end)
    else:
        error = HTTP1_OK
        if unlikely(not parse_usual_request_line(head, data, begin, <uint32_t>end)):
            error = parse_request_line(head, data, begin, <uint32_t>end)
    return error if unlikely(error) else START_WHOLE


cdef inline bint ends_line(const uint8_t* data, size_t at, size_t end) noexcept nogil:
    return at + 2 <= end and data[at] == c"\r" and data[at + 1] == c"\n"


cdef int line_fault(const uint8_t* data, size_t at, size_t size, size_t limit, int too_long) noexcept nogil:
    """What is wrong with a line whose first control character, if any, is at `at` and does not end it."""
    if at + 1 >= limit:
        return too_long
    if at == size:
        return HEAD_INCOMPLETE
    if data[at] != c"\r":
        return HTTP1_BARE_LF if data[at] == c"\n" else HTTP1_CONTROL_CHARACTER
    if at + 1 == size:
        return HEAD_INCOMPLETE
    return HTTP1_BARE_CR


# --- fields ---

cdef inline int parse_fields(HeadC* head, const uint8_t* data, size_t size, const Http1LimitsC* limits) noexcept nogil:
    cdef size_t limit = min(size, <size_t>limits.head_bytes)
    cdef uint32_t begin = head.line_at
    cdef size_t end = head.scan_at
    cdef int error
    while True:
        end = find_control(data, end, limit)
        if unlikely(not ends_line(data, end, limit)):
            head.line_at = begin
            head.scan_at = <uint32_t>end
            return line_fault(data, end, size, limits.head_bytes, HTTP1_HEAD_TOO_LARGE)
        if end == begin:
            head.bytes = head.line_at = head.scan_at = begin + 2
            return HEAD_COMPLETE
        error = parse_field(head, data, begin, <uint32_t>end, limits)
        if unlikely(error):
            return error
        end += 2
        begin = <uint32_t>end


cdef inline int parse_field(
    HeadC* head, const uint8_t* data, uint32_t begin, uint32_t end, const Http1LimitsC* limits
) noexcept nogil:
    # The line's end is no character of names, so looking as far as it does no harm.
    cdef uint32_t colon = <uint32_t>skip_name(data, begin, end + 2) if likely(end + 2 >= SCAN_LEAST) else begin
    cdef uint32_t first, name
    cdef FieldC* field
    if unlikely(data[colon] != c":" or colon == begin):
        colon = odd_name_end(data, begin, colon, end)
        if colon == begin:
            return HTTP1_FOLDED_FIELD if is_blank(data[begin]) else HTTP1_BAD_FIELD_NAME
    if unlikely(head.field_count == limits.field_count):
        return HTTP1_TOO_MANY_FIELDS
    field = &head.fields[head.field_count]
    first = colon + 2
    field.name = SliceC(begin, colon - begin)
    # What is above a space is neither white space nor the line's end.
    if data[colon + 1] == c" " and data[first] > c" " and data[end - 1] > c" ":
        field.value = SliceC(first, end - first)
        field.flags = FIELD_CANONICAL
    else:
        field.value = trimmed(data, colon + 1, end)
        field.flags = FIELD_CANONICAL if (
            data[colon + 1] == c" " and field.value.at == first and field.value.size == end - first) else 0
    name = field_name_find(data + begin, field.name.size, &field.rules)
    field.id = <uint8_t>name
    if name != FIELD_OTHER:
        head.repeated |= head.names & <uint32_t>1 << name
        head.names |= <uint32_t>1 << name
        head.last[name] = head.field_count
    head.field_count += 1
    return HTTP1_OK


cdef uint32_t odd_name_end(const uint8_t* data, uint32_t begin, uint32_t usual, uint32_t end) noexcept nogil:
    """Where the colon behind a name of any characters is; `begin` when there is no name or no colon."""
    cdef uint32_t colon = <uint32_t>skip(data, usual, end, CLASS_TCHAR)
    if colon == end or data[colon] != c":" or mimics_framing(data + begin, colon - begin):
        return begin
    return colon


cdef SliceC trimmed(const uint8_t* data, uint32_t first, uint32_t last) noexcept nogil:
    """data[first:last] without the white space around it."""
    while first < last and is_blank(data[first]):
        first += 1
    while last > first and is_blank(data[last - 1]):
        last -= 1
    return SliceC(first, last - first)


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


# --- start lines ---

cdef inline bint is_known_version(HeadC* head, const uint8_t* data) noexcept nogil:
    """"HTTP/1.0" or "HTTP/1.1"."""
    cdef uint64_t word = load_word(data)
    head.minor_version = <uint8_t>(word >> 56 & 1)
    return word | <uint64_t>1 << 56 == load_word(b"HTTP/1.1")


cdef int parse_version(HeadC* head, const uint8_t* data, size_t size) noexcept nogil:
    if size != VERSION_BYTES or memcmp(data, b"HTTP/", 5) != 0:
        return HTTP1_BAD_VERSION
    if not is_digit(data[5]) or data[6] != c"." or not is_digit(data[7]):
        return HTTP1_BAD_VERSION
    if data[5] != c"1" or data[7] > c"1":
        return HTTP1_UNSUPPORTED_VERSION
    head.minor_version = data[7] - c"0"
    return HTTP1_OK


cdef inline bint parse_usual_request_line(
    HeadC* head, const uint8_t* data, uint32_t begin, uint32_t end
) noexcept nogil:
    """Whether it is one of a known method, without a fault; all others are judged by parse_request_line."""
    cdef uint32_t target, version = end - VERSION_BYTES
    if end - begin < LEAST_REQUEST_LINE:
        return False
    head.method_id = <uint8_t>method_begin(data + begin)
    target = begin + METHODS[head.method_id].size + 1
    if head.method_id == METHOD_OTHER or target >= version or data[version - 1] != c" " or (
            not is_known_version(head, data + version)):
        return False
    head.method = SliceC(begin, target - 1 - begin)
    head.whole_target = SliceC(target, version - 1 - target)
    # A space is in no target.
    return target_parse(data, head.whole_target, head.method_id, &head.target) == HTTP1_OK


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


cdef inline int parse_status_line(HeadC* head, const uint8_t* data, uint32_t begin, uint32_t end) noexcept nogil:
    cdef const uint8_t* digits = data + begin + VERSION_BYTES + 1
    cdef uint32_t reason = begin + VERSION_BYTES + 1 + STATUS_BYTES
    cdef int error
    if unlikely(reason > end or data[begin + VERSION_BYTES] != c" "):
        return HTTP1_BAD_START_LINE
    if unlikely(not is_known_version(head, data + begin)):
        error = parse_version(head, data + begin, VERSION_BYTES)
        if error:
            return error
    if unlikely(
            not (is_digit(digits[0]) and is_digit(digits[1]) and is_digit(digits[2])) or digits[0] == c"0"):
        return HTTP1_BAD_STATUS
    head.status = (digits[0] - c"0") * 100 + (digits[1] - c"0") * 10 + (digits[2] - c"0")
    # Not every server sends the space when it has no reason to give.
    if reason < end:
        if unlikely(data[reason] != c" "):
            return HTTP1_BAD_STATUS
        reason += 1
    head.reason = SliceC(reason, end - reason)
    return HTTP1_OK
