"""Fuzz target of chunked bodies; what it promises stands in chunks.pxd."""

from libc.stdint cimport int64_t
from libc.string cimport memcmp, memcpy, memset
from mesh_core.http1.chunked cimport (
    CHUNK_HEAD_BYTES,
    CHUNKED_BODY,
    CHUNKED_LAST,
    CHUNKED_MORE,
    ChunkedC,
    chunk_head_write,
    chunked_step,
)
from mesh_core.http1.framing cimport trailers_check
from mesh_core.http1.fuzzing.parsed cimport MORE_BYTES, ParsedC, check, check_fields, parse, parse_cut
from mesh_core.http1.head cimport HEAD_COMPLETE, HEAD_TRAILERS
from mesh_core.http1.limits cimport Http1LimitsC, http1_limits_default
from mesh_core.http1.serialize cimport trailers_write

cdef enum:
    BODY_BYTES = 8192


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
