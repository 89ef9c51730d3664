"""Parsed messages; the contract stands in parsed.pxd."""

from libc.string cimport memcmp, memset
from mesh_core.http1.head cimport HEAD_COMPLETE, HEAD_INCOMPLETE, head_begin, head_parse
from mesh_core.http1.limits cimport Http1LimitsC, http1_limits_default
from mesh_core.http1.serialize cimport CONNECTION_CLOSE, CONNECTION_UPGRADE


cdef void set_limits(Http1LimitsC* limits, uint32_t factor) noexcept nogil:
    http1_limits_default(limits)
    limits.head_bytes = HEAD_BYTES * factor
    limits.start_line_bytes = HEAD_BYTES // 4 if factor == 1 else HEAD_BYTES
    limits.field_count = FIELDS if factor == 1 else MORE_FIELDS


cdef int parse(ParsedC* parsed, int kind, const uint8_t* data, size_t size, uint32_t factor) noexcept nogil:
    cdef Http1LimitsC limits
    set_limits(&limits, factor)
    memset(parsed, 0, sizeof(ParsedC))
    head_begin(&parsed.head, kind, parsed.fields)
    return head_parse(&parsed.head, data, size, &limits)


cdef int parse_cut(ParsedC* whole, int kind, const uint8_t* data, size_t size) noexcept nogil:
    cdef ParsedC cut
    cdef Http1LimitsC limits
    cdef int verdict = parse(whole, kind, data, size, 1)
    cdef int found = HEAD_INCOMPLETE
    cdef size_t have = 0
    set_limits(&limits, 1)
    memset(&cut, 0, sizeof(ParsedC))
    head_begin(&cut.head, kind, cut.fields)
    while found == HEAD_INCOMPLETE and have < size:
        have += 1
        found = head_parse(&cut.head, data, have, &limits)
    check(found == verdict)
    if verdict == HEAD_COMPLETE:
        check(whole.head.bytes == have and have <= HEAD_BYTES)
        cut.head.fields = whole.head.fields
        check(memcmp(&cut.head, &whole.head, sizeof(HeadC)) == 0)
        check(memcmp(cut.fields, whole.fields, sizeof(cut.fields)) == 0)
    return verdict


cdef bint same(const uint8_t* one, SliceC first, const uint8_t* other, SliceC second) noexcept nogil:
    return first.size == second.size and memcmp(one + first.at, other + second.at, first.size) == 0


cdef OutputC output_of(const FramingC* framing) noexcept nogil:
    cdef OutputC output
    memset(&output, 0, sizeof(OutputC))
    output.body = framing.body
    output.length = framing.length
    output.states_length = framing.states_length
    if framing.has_upgrade:
        output.connection = CONNECTION_UPGRADE
    elif not framing.keep_alive:
        output.connection = CONNECTION_CLOSE
    return output


cdef void check_same_framing(const FramingC* first, const FramingC* second) noexcept nogil:
    check(first.body == second.body and first.length == second.length)
    check(first.is_interim == second.is_interim and first.states_length == second.states_length)
    check(first.has_upgrade == second.has_upgrade and first.expects_continue == second.expects_continue)
    # A request for an upgrade says "Connection: Upgrade" alone; whether it is to close, its receiver decides anew.
    check(first.has_upgrade or first.keep_alive == second.keep_alive)


cdef void check_fields(
    const ParsedC* one, uint32_t first, const uint8_t* data, const ParsedC* other, uint32_t second,
    const uint8_t* written, uint32_t count
) noexcept nogil:
    cdef uint32_t index
    check(first + count <= one.head.field_count and second + count <= other.head.field_count)
    for index in range(count):
        check(same(data, one.fields[first + index].name, written, other.fields[second + index].name))
        check(same(data, one.fields[first + index].value, written, other.fields[second + index].value))
