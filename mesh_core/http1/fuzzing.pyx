"""Fuzz targets; what each promises stands in fuzzing.pxd."""

from libc.stdint cimport int64_t, uint32_t
from libc.stdlib cimport abort
from libc.string cimport memchr, memcmp, memcpy, memset
from mesh_core.http1.chunked cimport (
    CHUNK_HEAD_BYTES,
    CHUNKED_BODY,
    CHUNKED_LAST,
    CHUNKED_MORE,
    ChunkedC,
    chunk_head_write,
    chunked_step,
)
from mesh_core.http1.framing cimport BODY_NONE, FramingC, request_framing, response_framing, trailers_check
from mesh_core.http1.grammar cimport SliceC
from mesh_core.http1.head cimport (
    HEAD_COMPLETE,
    HEAD_INCOMPLETE,
    HEAD_REQUEST,
    HEAD_RESPONSE,
    HEAD_TRAILERS,
    FieldC,
    HeadC,
    head_begin,
    head_parse,
)
from mesh_core.http1.limits cimport Http1LimitsC, http1_limits_default
from mesh_core.http1.method cimport METHOD_COUNT
from mesh_core.http1.path cimport PATH_REDIRECT, PATH_SAME, PathOptionsC, path_normalize
from mesh_core.http1.serialize cimport (
    CONNECTION_CLOSE,
    CONNECTION_UNSAID,
    CONNECTION_UPGRADE,
    AddedFieldC,
    OutputC,
    TextC,
    request_write,
    response_write,
    trailers_write,
)

cdef enum:
    FIELDS = 24
    MORE_FIELDS = FIELDS + 4   # those that writing may add
    HEAD_BYTES = 4096
    MORE_BYTES = 3 * HEAD_BYTES
    BODY_BYTES = 8192

# A parsed head with all that belongs to it.
cdef struct ParsedC:
    FieldC[MORE_FIELDS] fields
    HeadC head
    FramingC framing


cdef inline void check(bint holds) noexcept nogil:
    if not holds:
        abort()


cdef void set_limits(Http1LimitsC* limits, uint32_t factor) noexcept nogil:
    http1_limits_default(limits)
    limits.head_bytes = HEAD_BYTES * factor
    limits.start_line_bytes = HEAD_BYTES // 4 if factor == 1 else HEAD_BYTES
    limits.field_count = FIELDS if factor == 1 else MORE_FIELDS


cdef int parse(ParsedC* parsed, int kind, const uint8_t* data, size_t size, uint32_t factor) noexcept nogil:
    """Parse in one piece."""
    cdef Http1LimitsC limits
    set_limits(&limits, factor)
    memset(parsed, 0, sizeof(ParsedC))
    head_begin(&parsed.head, kind, parsed.fields)
    return head_parse(&parsed.head, data, size, &limits)


cdef int parse_cut(ParsedC* whole, int kind, const uint8_t* data, size_t size) noexcept nogil:
    """Parse in one piece and byte by byte, which must agree; the verdict."""
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


cdef TextC text(const uint8_t* data, SliceC slice) noexcept nogil:
    return TextC(data + slice.at, slice.size)


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


# --- heads ---

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
    check(count == request_write(&second.head, written, text(written, second.head.whole_target),
                                 text(written, second.framing.authority), &output, again, MORE_BYTES))
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
    return 0


# --- chunks ---

# A body as it came out.
cdef struct DecodedC:
    uint8_t[BODY_BYTES] body
    size_t body_size
    size_t taken
    int verdict


cdef void decode(DecodedC* out, const uint8_t* data, size_t size, size_t step) noexcept nogil:
    """Decode at most `step` bytes at a time."""
    cdef Http1LimitsC limits
    cdef ChunkedC state
    cdef size_t taken, body
    http1_limits_default(&limits)
    limits.chunk_line_bytes = 64
    limits.chunk_extension_bytes = 256
    memset(&state, 0, sizeof(ChunkedC))
    memset(out, 0, sizeof(DecodedC))
    while out.taken < size:
        out.verdict = chunked_step(&state, data + out.taken, min(step, size - out.taken), &limits, &taken, &body)
        if out.verdict < 0:
            check(chunked_step(&state, data, size, &limits, &taken, &body) == out.verdict)
            return
        check(taken > 0 and body <= taken and (body > 0) == (out.verdict == CHUNKED_BODY))
        out.taken += taken
        memcpy(out.body + out.body_size, data + out.taken - body, body)
        out.body_size += body
        if out.verdict == CHUNKED_LAST:
            return
    out.verdict = CHUNKED_MORE


cdef int fuzz_http1_chunked(const uint8_t* data, size_t size) noexcept nogil:
    cdef DecodedC whole, cut
    cdef size_t step
    if size == 0 or size > BODY_BYTES:
        return 0
    step = 1 + data[0] % 7
    data += 1
    size -= 1
    decode(&whole, data, size, size)
    decode(&cut, data, size, step)
    check(whole.verdict == cut.verdict and whole.body_size == cut.body_size)
    check(memcmp(whole.body, cut.body, whole.body_size) == 0)
    if whole.verdict == CHUNKED_LAST:
        check(whole.taken == cut.taken)
        check_encoding(&whole, step)
        check_trailers(data + whole.taken, size - whole.taken)
    return 0


cdef void check_encoding(const DecodedC* expected, size_t step) noexcept nogil:
    """The same body in chunks of `step` bytes must come out the same."""
    cdef uint8_t[BODY_BYTES * (CHUNK_HEAD_BYTES + 3)] encoded
    cdef DecodedC found
    cdef size_t at = 0, used = 0, piece
    while at < expected.body_size:
        piece = min(step, expected.body_size - at)
        used += chunk_head_write(encoded + used, piece)
        memcpy(encoded + used, expected.body + at, piece)
        memcpy(encoded + used + piece, b"\r\n", 2)
        used += piece + 2
        at += piece
    used += chunk_head_write(encoded + used, 0)
    decode(&found, encoded, used, used)
    check(found.verdict == CHUNKED_LAST and found.taken == used and found.body_size == expected.body_size)
    check(memcmp(found.body, expected.body, found.body_size) == 0)


cdef void check_trailers(const uint8_t* data, size_t size) noexcept nogil:
    cdef ParsedC first, second
    cdef uint8_t[MORE_BYTES] written
    cdef int64_t count
    if parse_cut(&first, HEAD_TRAILERS, data, size) != HEAD_COMPLETE or trailers_check(&first.head) != 0:
        return
    count = trailers_write(&first.head, data, written, MORE_BYTES)
    check(count > 0 and parse(&second, HEAD_TRAILERS, written, count, 3) == HEAD_COMPLETE)
    check(second.head.bytes == count and trailers_check(&second.head) == 0)
    check_fields(&first, 0, data, &second, 0, written, first.head.field_count)


cdef void check_fields(
    const ParsedC* one, uint32_t first, const uint8_t* data, const ParsedC* other, uint32_t second,
    const uint8_t* written, uint32_t count
) noexcept nogil:
    """`count` fields from `first` and from `second` on must say the same."""
    cdef uint32_t index
    check(first + count <= one.head.field_count and second + count <= other.head.field_count)
    for index in range(count):
        check(same(data, one.fields[first + index].name, written, other.fields[second + index].name))
        check(same(data, one.fields[first + index].value, written, other.fields[second + index].value))


# --- writing ---

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


# --- paths ---

cdef int fuzz_http1_path(const uint8_t* data, size_t size) noexcept nogil:
    cdef uint8_t[BODY_BYTES] first
    cdef uint8_t[BODY_BYTES] second
    cdef PathOptionsC options
    cdef size_t first_bytes, second_bytes, index
    cdef int verdict
    if size == 0 or size > BODY_BYTES:
        return 0
    options.normalize = data[0] & 1
    options.merge_slashes = (data[0] >> 1) & 1
    options.escaped_slashes = (data[0] >> 2) & 3
    data += 1
    size -= 1
    verdict = path_normalize(&options, data, size, first, &first_bytes)
    if verdict < 0:
        return 0
    check(first_bytes <= size)
    check(verdict != PATH_SAME or (first_bytes == size and memcmp(first, data, size) == 0))
    memcpy(second, data, size)
    check(path_normalize(&options, second, size, second, &second_bytes) == verdict)
    check(first_bytes == second_bytes and memcmp(first, second, first_bytes) == 0)
    check(path_normalize(&options, first, first_bytes, second, &second_bytes) == PATH_SAME)
    if size == 0 or data[0] != c"/":
        check(verdict == PATH_SAME)
        return 0
    check(first[0] == c"/" and (verdict != PATH_REDIRECT or options.escaped_slashes == 2))
    for index in range(1, first_bytes):
        if options.merge_slashes:
            check(first[index] != c"/" or first[index - 1] != c"/")
        if options.normalize and first[index] == c"." and first[index - 1] == c"/":
            check(index + 1 < first_bytes and first[index + 1] != c"/")
    return 0
