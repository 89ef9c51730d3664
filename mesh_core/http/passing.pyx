"""Passing a message's body on; the contract stands in passing.pxd."""

from libc.stdint cimport int64_t, uint64_t
from libc.string cimport memmove
from mesh_core.http.body cimport body_take
from mesh_core.http.input cimport INPUT_NO_MEMORY, input_head, input_holds, input_rest
from mesh_core.http.mirroring cimport mirroring_put
from mesh_core.http.replay cimport replay_drop, replay_keep, replay_put
from mesh_core.http.stream cimport MESSAGE_BYTES
from mesh_core.http1.chunked cimport chunk_head_write
from mesh_core.http1.errors cimport HTTP1_OK
from mesh_core.http1.framing cimport BODY_CHUNKED, BODY_LENGTH, trailers_check
from mesh_core.http1.head cimport HEAD_INCOMPLETE, HEAD_TRAILERS, HeadC
from mesh_core.http1.serialize cimport trailers_write
from mesh_core.includes.likely cimport unlikely
from mesh_core.relay.relay cimport RELAY_BLOCKED, RELAY_NO_MEMORY, RELAY_SINK_FAILED, RELAY_WAITING, relay_move
from mesh_core.relay.transport cimport side_send

cdef enum:
    JOIN_BYTES = 16384         # so much of a body is copied behind its head, to go with it


# What is about to be sent.
cdef struct PieceC:
    const uint8_t* begin
    size_t size


cdef int pass_body(PassageC* passage, size_t head_bytes, const uint8_t** data, size_t* size) noexcept nogil:
    cdef HttpWorkerC* worker = passage.worker
    cdef PieceC piece = PieceC(worker.message, head_bytes)
    cdef int status
    if size[0]:
        status = take_content(passage, &piece, data, size)
        if unlikely(status < 0 or status > RELAY_BLOCKED):
            return status
    if unlikely(passage.body.in_trailers) and not passage.body.ended:
        status = take_trailers(passage, &piece, data, size)
        if status < 0 or status > RELAY_BLOCKED:
            return status
    status = send(passage, &piece)
    return RELAY_SINK_FAILED if passage.sink_failed and status <= RELAY_BLOCKED else status


cdef int send(PassageC* passage, PieceC* piece) noexcept nogil:
    cdef int status
    if not piece.size:
        return RELAY_WAITING
    passage.begun = True
    if unlikely(passage.mirroring != NULL):
        mirroring_put(passage.mirroring, piece.begin, piece.size)
    if passage.replay != NULL and not put(passage, piece):
        return RELAY_NO_MEMORY
    if passage.sink == NULL or passage.sink_failed:
        return RELAY_BLOCKED
    status = side_send(passage.worker.core, passage.sink, piece.begin, piece.size)
    if unlikely(status == RELAY_SINK_FAILED) and passage.replay != NULL:
        # All that was taken from the source must come to be there.
        passage.sink_failed = True
        return RELAY_BLOCKED
    return status


cdef bint put(PassageC* passage, const PieceC* piece) noexcept nogil:
    """False when it must be there and memory is exhausted."""
    if unlikely(not replay_put(passage.replay, piece.begin, piece.size)):
        if passage.sink == NULL:
            return False
        replay_drop(passage.replay)
    if passage.sink != NULL and not replay_keep(passage.replay):
        passage.replay = NULL
    return True


cdef int take_content(PassageC* passage, PieceC* piece, const uint8_t** data, size_t* size) noexcept nogil:
    """Put the content that has come behind what is in `piece`, or send that first."""
    cdef uint8_t* room = passage.worker.message + piece.size
    cdef const uint8_t* content
    cdef size_t taken, content_bytes
    cdef int status = body_take(
        passage.body, passage.limits, data[0], size[0], &taken, room, &content, &content_bytes)
    if status != HTTP1_OK:
        return status
    data[0] += taken
    size[0] -= taken
    if not content_bytes:
        return RELAY_WAITING
    if piece.size and content_bytes <= JOIN_BYTES:
        memmove(room, content, content_bytes)
        piece.size += content_bytes
        return RELAY_WAITING
    status = send(passage, piece)
    piece.begin = content
    piece.size = content_bytes
    return status


cdef int take_trailers(PassageC* passage, PieceC* piece, const uint8_t** data, size_t* size) noexcept nogil:
    """Read the trailer section behind the last chunk; once it is whole, put it behind what is in `piece`."""
    cdef HttpWorkerC* worker = passage.worker
    cdef HeadC* trailers
    cdef uint8_t* end = <uint8_t*>piece.begin + piece.size
    cdef int64_t written = 0
    cdef size_t line
    cdef int verdict
    if input_holds(passage.input, data[0]):
        # What is left stands in the input already, behind what has been read.
        input_rest(passage.input, data[0], size[0])
        size[0] = 0
    verdict = input_head(
        passage.input, HEAD_TRAILERS, passage.limits, worker.fields, &worker.head, data, size, &trailers)
    if verdict == INPUT_NO_MEMORY:
        return RELAY_NO_MEMORY
    if verdict == HEAD_INCOMPLETE:
        size[0] = 0
        return RELAY_WAITING
    if verdict > 0:
        verdict = trailers_check(trailers)
    if verdict < 0:
        return verdict
    if passage.body.written == BODY_CHUNKED:
        line = chunk_head_write(end, 0)
        written = trailers_write(trailers, data[0], end + line, worker.message + MESSAGE_BYTES - end - line)
        if written < 0:
            return <int>written
        piece.size += line + written
    passage.body.ended = True
    data[0] += trailers.bytes
    size[0] -= trailers.bytes
    return RELAY_WAITING


cdef bint is_plain(const PassageC* passage, const SideC* source) noexcept nogil:
    return (
        passage.body.kind == BODY_LENGTH and passage.body.written == BODY_LENGTH and passage.replay == NULL
        and passage.mirroring == NULL
        and source.tls == NULL and passage.sink.tls == NULL and not passage.input.size
    )


cdef int pass_plain(PassageC* passage, SideC* source, size_t limit) noexcept nogil:
    cdef BodyC* body = passage.body
    cdef uint64_t before = body.left
    cdef int status = relay_move(passage.worker.core, source, passage.sink, limit, &body.left)
    body.bytes += before - body.left
    # What was spliced into a pipe has not gone yet when the sink is blocked; then it goes with the next flush.
    body.ended = body.left == 0
    return status
