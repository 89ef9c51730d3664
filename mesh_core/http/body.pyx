"""A message's body on its way; the contract stands in body.pxd."""

from libc.string cimport memcpy
from mesh_core.http1.chunked cimport (
    CHUNK_HEAD_BYTES, CHUNKED_BODY, CHUNKED_LAST, chunk_head_write, chunked_step,
)
from mesh_core.http1.errors cimport HTTP1_OK
from mesh_core.http1.framing cimport BODY_CHUNKED, BODY_LENGTH, BODY_UNTIL_CLOSE


cdef int body_take(
    BodyC* body, const Http1LimitsC* limits, const uint8_t* data, size_t size, size_t* taken,
    uint8_t* room, const uint8_t** out, size_t* out_size
) noexcept nogil:
    taken[0] = 0
    out[0] = data
    out_size[0] = 0
    if body.ended or body.in_trailers or not size:
        return HTTP1_OK
    if body.kind == BODY_CHUNKED:
        return take_chunks(body, limits, data, size, taken, room, out, out_size)
    taken[0] = size
    if body.kind == BODY_LENGTH:
        taken[0] = min(<uint64_t>size, body.left)
        body.left -= taken[0]
        body.ended = body.left == 0
    body.bytes += taken[0]
    if body.most and body.bytes > body.most:
        return BODY_TOO_LARGE
    if body.written == BODY_CHUNKED:
        memcpy(room + CHUNK_HEAD_BYTES, data, taken[0])
        frame(room, taken[0], out, out_size)
    else:
        out_size[0] = taken[0]
    return HTTP1_OK


cdef int take_chunks(
    BodyC* body, const Http1LimitsC* limits, const uint8_t* data, size_t size, size_t* taken,
    uint8_t* room, const uint8_t** out, size_t* out_size
) noexcept nogil:
    """All content in `data` becomes one chunk."""
    cdef size_t content = 0
    cdef size_t used, piece
    cdef int step = CHUNKED_BODY
    while step >= 0 and step != CHUNKED_LAST and taken[0] < size:
        step = chunked_step(&body.chunked, data + taken[0], size - taken[0], limits, &used, &piece)
        taken[0] += used
        if step == CHUNKED_BODY:
            memcpy(room + CHUNK_HEAD_BYTES + content, data + taken[0] - piece, piece)
            content += piece
    body.in_trailers = step == CHUNKED_LAST
    body.bytes += content
    if body.most and body.bytes > body.most:
        return BODY_TOO_LARGE
    if content:
        if body.written == BODY_CHUNKED:
            frame(room, content, out, out_size)
        else:
            out[0] = room + CHUNK_HEAD_BYTES
            out_size[0] = content
    return step if step < 0 else HTTP1_OK


cdef void frame(uint8_t* room, size_t size, const uint8_t** out, size_t* out_size) noexcept nogil:
    """Put the line of a chunk before the content that stands in `room`, and its end behind."""
    cdef uint8_t[CHUNK_HEAD_BYTES] line
    cdef size_t line_bytes = chunk_head_write(line, size)
    cdef uint8_t* begin = room + CHUNK_HEAD_BYTES - line_bytes
    memcpy(begin, line, line_bytes)
    memcpy(room + CHUNK_HEAD_BYTES + size, b"\r\n", 2)
    out[0] = begin
    out_size[0] = line_bytes + size + 2


cdef bint body_source_ended(BodyC* body) noexcept nogil:
    if body.kind == BODY_UNTIL_CLOSE:
        body.ended = True
    return body.ended


cdef size_t body_end_write(const BodyC* body, uint8_t* out) noexcept nogil:
    cdef size_t size
    if body.written != BODY_CHUNKED:
        return 0
    size = chunk_head_write(out, 0)
    memcpy(out + size, b"\r\n", 2)
    return size + 2
