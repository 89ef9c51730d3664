"""Fuzz target of writing; what it promises stands in writing.pxd."""

from libc.stdint cimport int64_t, uint32_t
from libc.string cimport memchr, memset
from mesh_core.http1.framing cimport BODY_NONE, request_framing, response_framing
from mesh_core.http1.fuzzing.parsed cimport HEAD_BYTES, ParsedC, check, parse, text
from mesh_core.http1.grammar cimport equals_ignoring_case
from mesh_core.http1.head cimport HEAD_COMPLETE, HEAD_REQUEST, HEAD_RESPONSE
from mesh_core.http1.serialize cimport (
    CONNECTION_UNSAID,
    AddedFieldC,
    OutputC,
    TextC,
    request_write,
    response_write,
)


cdef TextC next_text(const uint8_t** at, const uint8_t* end) noexcept nogil:
    """What stands before the next 0xFF."""
    cdef const uint8_t* begin = at[0]
    cdef const uint8_t* stop = NULL
    if begin < end:
        stop = <const uint8_t*>memchr(begin, 0xFF, end - begin)
    at[0] = end if stop == NULL else stop + 1
    return TextC(begin, (end if stop == NULL else stop) - begin)


cdef int fuzz_http1_serialize(const uint8_t* data, size_t size) noexcept nogil:
    cdef const uint8_t* head = b"GET / HTTP/1.1\r\nhost: a\r\nA: b\r\na:c\r\n\r\n"
    cdef const uint8_t* end = data + size
    cdef ParsedC base, found
    cdef uint8_t[HEAD_BYTES] written
    cdef AddedFieldC[2] added
    cdef OutputC output
    cdef TextC target, authority, reason
    cdef int64_t count
    cdef size_t room
    if size < 2:
        return 0
    room = data[0] * 16
    data += 1
    target = next_text(&data, end)
    authority = next_text(&data, end)
    reason = next_text(&data, end)
    added[0].name = next_text(&data, end)
    added[0].value = next_text(&data, end)
    added[1].name = next_text(&data, end)
    added[1].value = next_text(&data, end)
    memset(&output, 0, sizeof(OutputC))
    output.added = added
    output.added_count = 2 if added[1].name.size else 1
    check(parse(&base, HEAD_REQUEST, head, 38, 1) == HEAD_COMPLETE)
    check(request_framing(&base.head, head, &base.framing) == 0)
    output.connection = CONNECTION_UNSAID
    count = request_write(&base.head, head, target, authority, &output, written, room)
    if count >= 0:
        check(parse(&found, HEAD_REQUEST, written, count, 3) == HEAD_COMPLETE and found.head.bytes == count)
        check(request_framing(&found.head, written, &found.framing) == 0)
        check(found.head.method.size == 3 and found.head.whole_target.size == target.size)
        check(found.framing.body == BODY_NONE)
        check_edits(&base, head, &found, written, &output)
    base.head.field_count = 0
    count = response_write(&base.head, head, 200, reason, &output, written, room)
    if count >= 0:
        check(parse(&found, HEAD_RESPONSE, written, count, 3) == HEAD_COMPLETE and found.head.bytes == count)
        check(response_framing(&found.head, written, 1, False, &found.framing) == 0)
        check(found.head.reason.size == reason.size)
        check_edits(&base, head, &found, written, &output)
    return 0


cdef void check_edits(
    const ParsedC* base, const uint8_t* head, const ParsedC* found, const uint8_t* written, const OutputC* output
) noexcept nogil:
    """Every name must be there as often as it should."""
    cdef uint32_t index
    cdef TextC name
    for index in range(found.head.field_count):
        name = text(written, found.fields[index].name)
        check(count_received(found, written, &name) == expected(base, head, &name, output))
    for index in range(base.head.field_count):
        name = text(head, base.fields[index].name)
        check(count_received(found, written, &name) == expected(base, head, &name, output))


cdef uint32_t expected(
    const ParsedC* base, const uint8_t* head, const TextC* name, const OutputC* output
) noexcept nogil:
    """How many fields of this name should have been written."""
    return count_given(output.added, output.added_count, name) + count_received(base, head, name)


cdef uint32_t count_given(const AddedFieldC* fields, uint32_t size, const TextC* name) noexcept nogil:
    cdef uint32_t index, count = 0
    for index in range(size):
        count += is_same(&fields[index].name, name)
    return count


cdef uint32_t count_received(const ParsedC* parsed, const uint8_t* data, const TextC* name) noexcept nogil:
    cdef uint32_t index, count = 0
    cdef TextC other
    for index in range(parsed.head.field_count):
        other = text(data, parsed.fields[index].name)
        count += is_same(&other, name)
    return count


cdef bint is_same(const TextC* one, const TextC* other) noexcept nogil:
    return one.size == other.size and equals_ignoring_case(one.bytes, other.bytes, one.size)
