"""Fuzz target of writing; what it promises stands in writing.pxd."""

from libc.stdint cimport int64_t
from libc.string cimport memchr, memset
from mesh_core.http1.framing cimport BODY_NONE, request_framing, response_framing
from mesh_core.http1.fuzzing.parsed cimport HEAD_BYTES, ParsedC, check, parse
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
    cdef const uint8_t* head = b"GET / HTTP/1.1\r\nhost: a\r\nA: b\r\n\r\n"
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
    check(parse(&base, HEAD_REQUEST, head, 33, 1) == HEAD_COMPLETE)
    check(request_framing(&base.head, head, &base.framing) == 0)
    output.connection = CONNECTION_UNSAID
    count = request_write(&base.head, head, target, authority, &output, written, room)
    if count >= 0:
        check(parse(&found, HEAD_REQUEST, written, count, 3) == HEAD_COMPLETE and found.head.bytes == count)
        check(request_framing(&found.head, written, &found.framing) == 0)
        check(found.head.method.size == 3 and found.head.whole_target.size == target.size)
        check(found.framing.body == BODY_NONE and found.head.field_count == 2 + output.added_count)
    base.head.field_count = 0
    count = response_write(&base.head, head, 200, reason, &output, written, room)
    if count >= 0:
        check(parse(&found, HEAD_RESPONSE, written, count, 3) == HEAD_COMPLETE and found.head.bytes == count)
        check(response_framing(&found.head, written, 1, False, &found.framing) == 0)
        check(found.head.reason.size == reason.size and found.head.field_count == output.added_count)
        check(found.fields[0].name.size == added[0].name.size and found.fields[0].value.size == added[0].value.size)
    return 0
