"""Fuzz target of bodies on their way; what it promises stands in bodies.pxd."""

from libc.stdint cimport uint32_t, uint64_t
from libc.string cimport memcmp, memcpy, memset
from mesh_core.http.body cimport BODY_ROOM_MORE, BodyC, body_begin, body_end_write, body_source_ended, body_take
from mesh_core.http.input cimport InputC, input_clear, input_head, input_rest
from mesh_core.http1.chunked cimport CHUNK_HEAD_BYTES, CHUNKED_BODY, CHUNKED_LAST, ChunkedC, chunked_step
from mesh_core.http1.framing cimport BODY_CHUNKED, BODY_LENGTH, BODY_UNTIL_CLOSE
from mesh_core.http1.fuzzing.parsed cimport check
from mesh_core.http1.head cimport HEAD_COMPLETE, HEAD_INCOMPLETE, HEAD_TRAILERS, FieldC, HeadC
from mesh_core.http1.limits cimport Http1LimitsC, http1_limits_default
from mesh_core.runtime.memory cimport memory_alloc, memory_free

cdef enum:
    BODY_BYTES = 2048
    WRITTEN_BYTES = BODY_BYTES * 6 + 2 * CHUNK_HEAD_BYTES  # each byte a chunk of its own, and the end
    FIELDS = 8


# What became of a body, and of what came behind it.
cdef struct PassedC:
    uint8_t[WRITTEN_BYTES] out
    size_t out_bytes
    size_t taken
    int verdict
    BodyC body
    int trailer_verdict        # HEAD_INCOMPLETE also when there are none
    uint32_t trailer_bytes
    uint32_t trailer_fields


cdef int fuzz_http_body(const uint8_t* data, size_t size) noexcept nogil:
    cdef PassedC whole, cut
    cdef uint8_t[BODY_BYTES] content, same
    cdef int kind, written
    cdef uint64_t length
    cdef size_t step
    if size < 2 or size > BODY_BYTES:
        return 0
    kind = BODY_CHUNKED if data[0] & 1 else BODY_LENGTH if data[0] & 2 else BODY_UNTIL_CLOSE
    written = BODY_CHUNKED if data[0] & 4 else BODY_UNTIL_CLOSE if kind == BODY_CHUNKED else kind
    step = 1 + data[1] % 16
    length = data[1] * 2
    data += 2
    size -= 2
    pass_on(&whole, kind, length, written, data, size, size)
    pass_on(&cut, kind, length, written, data, size, step)
    check(whole.verdict == cut.verdict and (whole.verdict < 0 or whole.taken == cut.taken))
    check(whole.body.bytes == cut.body.bytes and whole.body.left == cut.body.left)
    check(whole.body.ended == cut.body.ended and whole.body.in_trailers == cut.body.in_trailers)
    check(whole.trailer_verdict == cut.trailer_verdict and whole.trailer_fields == cut.trailer_fields)
    check(whole.trailer_bytes == cut.trailer_bytes)
    check_content(&whole, content)
    check_content(&cut, same)
    check(memcmp(content, same, whole.body.bytes) == 0)
    if kind != BODY_CHUNKED:
        check(whole.taken == whole.body.bytes and memcmp(content, data, whole.taken) == 0)
    return 0


cdef void pass_on(
    PassedC* out, int kind, uint64_t length, int written, const uint8_t* data, size_t size, size_t step
) noexcept nogil:
    """Take the body at most `step` bytes at a time, then its trailers; the source has ended behind them."""
    cdef Http1LimitsC limits
    cdef size_t begin = 0, piece
    cdef bint goes_on = True
    http1_limits_default(&limits)
    limits.chunk_line_bytes = 64
    limits.chunk_extension_bytes = 256
    limits.head_bytes = 512
    limits.start_line_bytes = 512
    limits.field_count = FIELDS
    memset(out, 0, sizeof(PassedC))
    body_begin(&out.body, kind, length, written)
    while goes_on and begin < size:
        piece = min(step, size - begin)
        goes_on = take(out, &limits, data + begin, piece)
        begin += piece
    if out.verdict < 0:
        return
    if out.body.in_trailers:
        take_trailers(out, &limits, data + out.taken, size - out.taken, step)
    elif not out.body.ended:
        check(body_source_ended(&out.body) == (kind == BODY_UNTIL_CLOSE))
        out.body.ended = kind == BODY_UNTIL_CLOSE


cdef bint take(PassedC* out, const Http1LimitsC* limits, const uint8_t* data, size_t size) noexcept nogil:
    """Take one piece, out of memory of exactly its size, into room of exactly what was promised; False at the end."""
    cdef uint8_t* room = <uint8_t*>memory_alloc(size + BODY_ROOM_MORE)
    cdef uint8_t* piece = <uint8_t*>memory_alloc(size)
    cdef const uint8_t* found
    cdef size_t found_bytes, taken
    check(room != NULL and piece != NULL)
    memcpy(piece, data, size)
    out.verdict = body_take(&out.body, limits, piece, size, &taken, room, &found, &found_bytes)
    check(taken <= size and found_bytes <= size + BODY_ROOM_MORE)
    check(out.verdict < 0 or taken == size or out.body.ended or out.body.in_trailers)
    check(not (out.body.ended and out.body.in_trailers))
    check(out.out_bytes + found_bytes <= WRITTEN_BYTES)
    memcpy(out.out + out.out_bytes, found, found_bytes)
    out.out_bytes += found_bytes
    # Of a piece that is refused it is not told how far it was good.
    out.taken += taken if out.verdict == 0 else 0
    memory_free(room)
    memory_free(piece)
    return out.verdict == 0 and taken == size


cdef void take_trailers(
    PassedC* out, const Http1LimitsC* limits, const uint8_t* data, size_t size, size_t step
) noexcept nogil:
    """Read them through an input, which must then keep exactly what came behind them in the last piece."""
    cdef InputC input
    cdef FieldC[FIELDS] fields
    cdef HeadC scratch
    cdef HeadC* head
    cdef const uint8_t* begin
    cdef size_t at = 0, there
    memset(&input, 0, sizeof(InputC))
    while out.trailer_verdict == HEAD_INCOMPLETE and at < size:
        begin = data + at
        there = min(step, size - at)
        at += there
        out.trailer_verdict = input_head(&input, HEAD_TRAILERS, limits, fields, &scratch, &begin, &there, &head)
        check(out.trailer_verdict != HEAD_INCOMPLETE or (input.size == at and memcmp(input.data, data, at) == 0))
    if out.trailer_verdict == HEAD_COMPLETE:
        out.trailer_bytes = head.bytes
        out.trailer_fields = head.field_count
        check(input_rest(&input, begin + head.bytes, there - head.bytes))
        check(input.head == NULL and input.size == at - out.trailer_bytes)
        check(not input.size or memcmp(input.data, data + out.trailer_bytes, input.size) == 0)
    input_clear(&input)
    check(input.data == NULL and input.head == NULL and not input.size)


cdef void check_content(PassedC* passed, uint8_t* content) noexcept nogil:
    """What was written is as much content as was counted, and whole; `content` becomes it."""
    cdef Http1LimitsC limits
    cdef ChunkedC state
    cdef size_t at = 0, found = 0, taken, piece = 0
    cdef int step = CHUNKED_BODY
    http1_limits_default(&limits)
    memset(&state, 0, sizeof(ChunkedC))
    if passed.body.written == BODY_CHUNKED:
        passed.out_bytes += body_end_write(&passed.body, passed.out + passed.out_bytes)
        while step != CHUNKED_LAST:
            check(at < passed.out_bytes)
            step = chunked_step(&state, passed.out + at, passed.out_bytes - at, &limits, &taken, &piece)
            check(step > 0)
            at += taken
            memcpy(content + found, passed.out + at - piece, piece)
            found += piece
        check(at + 2 == passed.out_bytes)
    else:
        check(body_end_write(&passed.body, passed.out + passed.out_bytes) == 0)
        found = passed.out_bytes
        memcpy(content, passed.out, found)
    check(found == passed.body.bytes)
