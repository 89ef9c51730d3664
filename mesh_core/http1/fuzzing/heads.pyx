"""Fuzz targets of heads; what they promise stands in heads.pxd."""

from libc.stdint cimport int64_t
from libc.string cimport memcmp
from mesh_core.http1.framing cimport request_framing, response_framing
from mesh_core.http1.fuzzing.parsed cimport (
    MORE_BYTES,
    ParsedC,
    check,
    check_same_framing,
    output_of,
    parse,
    parse_cut,
    same,
    text,
)
from mesh_core.http1.head cimport HEAD_COMPLETE, HEAD_REQUEST, HEAD_RESPONSE
from mesh_core.http1.method cimport METHOD_COUNT
from mesh_core.http1.serialize cimport OutputC, TextC, request_write, response_write


cdef int fuzz_http1_request(const uint8_t* data, size_t size) noexcept nogil:
    cdef ParsedC first, second
    cdef uint8_t[MORE_BYTES] written
    cdef uint8_t[MORE_BYTES] again
    cdef OutputC output
    cdef TextC authority
    cdef int64_t count
    if parse_cut(&first, HEAD_REQUEST, data, size) != HEAD_COMPLETE:
        return 0
    if request_framing(&first.head, data, &first.framing) != 0:
        return 0
    output = output_of(&first.framing)
    authority = text(data, first.framing.authority)
    if authority.size == 0:
        authority = TextC(<const uint8_t*>b"x", 1)
    count = request_write(
        &first.head, data, text(data, first.head.whole_target), authority, &output, written, MORE_BYTES)
    check(count > 0 and parse(&second, HEAD_REQUEST, written, count, 3) == HEAD_COMPLETE)
    check(second.head.bytes == count and second.head.minor_version == 1)
    check(request_framing(&second.head, written, &second.framing) == 0)
    check(same(data, first.head.method, written, second.head.method))
    check(same(data, first.head.whole_target, written, second.head.whole_target))
    check_same_framing(&first.framing, &second.framing)
    check(authority.size == second.framing.authority.size)
    check(memcmp(authority.bytes, written + second.framing.authority.at, authority.size) == 0)
    output = output_of(&second.framing)
    # From other places than the head's own, texts are judged once more.
    check(count == request_write(
        &second.head, written, text(data, first.head.whole_target), authority, &output, again, MORE_BYTES))
    check(memcmp(written, again, count) == 0)
    return 0


cdef int fuzz_http1_response(const uint8_t* data, size_t size) noexcept nogil:
    cdef ParsedC first, second
    cdef uint8_t[MORE_BYTES] written
    cdef uint8_t[MORE_BYTES] again
    cdef OutputC output
    cdef int64_t count
    cdef int method
    cdef bint upgrade_asked
    if size == 0:
        return 0
    method = (data[0] & 127) % METHOD_COUNT
    upgrade_asked = data[0] >> 7
    data += 1
    if parse_cut(&first, HEAD_RESPONSE, data, size - 1) != HEAD_COMPLETE:
        return 0
    if response_framing(&first.head, data, method, upgrade_asked, &first.framing) != 0:
        return 0
    output = output_of(&first.framing)
    count = response_write(
        &first.head, data, first.head.status, text(data, first.head.reason), &output, written, MORE_BYTES)
    check(count > 0 and parse(&second, HEAD_RESPONSE, written, count, 3) == HEAD_COMPLETE)
    check(second.head.bytes == count and second.head.status == first.head.status)
    check(response_framing(&second.head, written, method, upgrade_asked, &second.framing) == 0)
    check(same(data, first.head.reason, written, second.head.reason))
    check_same_framing(&first.framing, &second.framing)
    output = output_of(&second.framing)
    check(count == response_write(&second.head, written, second.head.status, text(written, second.head.reason),
                                  &output, again, MORE_BYTES))
    check(memcmp(written, again, count) == 0)
    return 0
