"""Moving bytes from one socket to another; the contract stands in relay.pxd."""

from libc.string cimport memset
from mesh_core.includes.linux cimport EAGAIN, EINTR, SPLICE_F_MOVE, SPLICE_F_NONBLOCK, errno, iovec, splice
from mesh_core.includes.socket cimport AF_UNIX, MSG_NOSIGNAL, msghdr, recv, send, sendmsg
from mesh_core.relay.side cimport SIDE_BLOCKED, SIDE_ENDED, SIDE_READABLE, SIDE_UNTIL_EMPTY
from mesh_core.runtime.byte_queue cimport (
    byte_queue_append, byte_queue_clear, byte_queue_consume, byte_queue_pieces,
)
from mesh_core.runtime.core cimport SCRATCH_BYTES
from mesh_core.runtime.debug cimport require
from mesh_core.runtime.pipe_pool cimport pipe_give, pipe_take
from mesh_core.telemetry.stats cimport SERVER_BULK_STREAMS

cdef enum:
    PIECES = 16                # blocks of a queue sent in one call


cdef inline void count_received(SideC* side, size_t size) noexcept nogil:
    side.received += size
    side.rx_counter[0] += size


cdef inline void count_sent(SideC* side, size_t size) noexcept nogil:
    side.sent += size
    side.tx_counter[0] += size


cdef inline void count_kept(SideC* side, size_t size) noexcept nogil:
    """Count what was sent, unless it is records, whose content was counted before."""
    if side.tls == NULL:
        count_sent(side, size)
    else:
        side.records_sent += size


cdef RelayStatus relay_move(CoreC* core, SideC* source, SideC* sink, size_t limit, uint64_t* left) noexcept nogil:
    cdef ssize_t received, sent
    cdef size_t wanted
    cdef RelayStatus status
    cdef int rounds = 0
    require(0 < limit <= SCRATCH_BYTES)
    if sink.queue.size or sink.pipe != NULL:
        status = relay_flush(core, sink)
        if status != RELAY_WAITING:
            return status
    while source.flags & SIDE_READABLE and left[0]:
        if rounds == MOVE_ROUNDS:
            return RELAY_YIELDED
        rounds += 1
        if source.bulk >= BULK_THRESHOLD:
            sink.pipe = pipe_take(&core.pipes)
            if sink.pipe != NULL:
                return move_bulk(core, source, sink, limit, left)
        wanted = min(<uint64_t>limit, left[0])
        received = recv(source.source.fd, core.scratch, wanted, 0)
        if received <= 0:
            status = relay_nothing_received(source, received)
            if status == RELAY_YIELDED:
                continue
            return status
        count_received(source, received)
        left[0] -= received
        if <size_t>received < wanted and not source.flags & SIDE_UNTIL_EMPTY:
            source.flags &= ~SIDE_READABLE
        sent = send(sink.source.fd, core.scratch, received, MSG_NOSIGNAL)
        if sent != received:
            return keep_rest(core, sink, core.scratch, sent, received)
        count_sent(sink, sent)
        if received < BULK_RECEIVE:
            source.bulk = 0
        elif source.bulk < BULK_THRESHOLD:
            source.bulk += <uint32_t>received
            if source.bulk >= BULK_THRESHOLD:
                core.stats[SERVER_BULK_STREAMS] += 1
    return RELAY_ENDED if source.flags & SIDE_ENDED else RELAY_WAITING


cdef RelayStatus relay_nothing_received(SideC* source, ssize_t received) noexcept nogil:
    if received == 0:
        source.flags = (source.flags & ~SIDE_READABLE) | SIDE_ENDED
        return RELAY_ENDED
    if errno == EAGAIN:
        source.flags &= ~(SIDE_READABLE | SIDE_UNTIL_EMPTY)
        return RELAY_WAITING
    return RELAY_YIELDED if errno == EINTR else RELAY_SOURCE_FAILED


cdef RelayStatus nothing_sent(SideC* sink) noexcept nogil:
    """What a send that took nothing means."""
    if errno == EAGAIN:
        sink.flags |= SIDE_BLOCKED
        return RELAY_BLOCKED
    return RELAY_SINK_FAILED


cdef RelayStatus keep_rest(
    CoreC* core, SideC* sink, const uint8_t* data, ssize_t sent, ssize_t size
) noexcept nogil:
    """The sink took `sent` of `size` bytes, or failed (-1): keep the others."""
    cdef RelayStatus status
    # Interrupted says nothing about the socket: neither that it failed, nor that an event will follow.
    while sent < 0 and errno == EINTR:
        sent = send(sink.source.fd, data, size, MSG_NOSIGNAL)
    if sent == size:
        count_kept(sink, sent)
        return RELAY_YIELDED
    if sent < 0:
        status = nothing_sent(sink)
        if status != RELAY_BLOCKED:
            return status
        sent = 0
    count_kept(sink, sent)
    sink.flags |= SIDE_BLOCKED
    if byte_queue_append(&core.blocks, &sink.queue, data + sent, size - sent) < 0:
        return RELAY_NO_MEMORY
    return RELAY_BLOCKED


cdef RelayStatus relay_send(CoreC* core, SideC* sink, const uint8_t* data, size_t size) noexcept nogil:
    cdef RelayStatus status
    cdef ssize_t sent = 0
    if sink.queue.size and not sink.flags & SIDE_BLOCKED:
        status = relay_flush(core, sink)
        if status == RELAY_SINK_FAILED:
            return status
    if not sink.flags & SIDE_BLOCKED:
        sent = send(sink.source.fd, data, size, MSG_NOSIGNAL)
        if sent == <ssize_t>size:
            count_kept(sink, sent)
            return RELAY_WAITING
    status = keep_rest(core, sink, data, sent, size)
    return RELAY_WAITING if status == RELAY_YIELDED else status


cdef RelayStatus relay_flush(CoreC* core, SideC* sink) noexcept nogil:
    cdef iovec pieces[PIECES]
    cdef msghdr message
    cdef ssize_t sent
    while sink.queue.size:
        memset(&message, 0, sizeof(message))
        message.msg_iov = pieces
        message.msg_iovlen = byte_queue_pieces(&sink.queue, pieces, PIECES)
        sent = sendmsg(sink.source.fd, &message, MSG_NOSIGNAL)
        if sent < 0:
            if errno == EINTR:
                continue
            return nothing_sent(sink)
        count_kept(sink, sent)
        byte_queue_consume(&core.blocks, &sink.queue, sent)
    return empty_pipe(core, sink) if sink.pipe != NULL else RELAY_WAITING


# --- bulk: splice(2) through a pipe, which is held only while it carries bytes ---

cdef RelayStatus move_bulk(CoreC* core, SideC* source, SideC* sink, size_t limit, uint64_t* left) noexcept nogil:
    """As relay_move, for a stream that has proved long; `sink.pipe` is empty at the start."""
    cdef size_t moved = 0
    cdef ssize_t received
    cdef RelayStatus status = RELAY_YIELDED
    cdef int _round
    for _round in range(MOVE_ROUNDS):
        if not left[0]:
            break
        received = splice(source.source.fd, NULL, sink.pipe.write_fd, NULL,
                          min(min(<uint64_t>limit, left[0]), <uint64_t>sink.pipe.capacity),
                          SPLICE_F_MOVE | SPLICE_F_NONBLOCK)
        if received == 0 or (
                received < 0 and errno == EAGAIN and source.flags & ~source.input_flags & SIDE_UNTIL_EMPTY):
            # Urgent data stops a splice as if there were nothing more, or as if the stream had ended; a receive takes
            # it in its place, and only a receive may say that the stream has ended.
            source.bulk = 0
            break
        if received <= 0:
            # The pipe is empty, so this is about the source, and not about a full pipe.
            status = relay_nothing_received(source, received)
            if status == RELAY_YIELDED:
                continue
            break
        count_received(source, received)
        left[0] -= received
        sink.pipe.filled = <uint32_t>received
        moved += received
        status = empty_pipe(core, sink)
        if status != RELAY_WAITING:
            return status
        status = RELAY_YIELDED
        sink.pipe = pipe_take(&core.pipes)
        if sink.pipe == NULL:
            return status
    pipe_give(&core.pipes, sink.pipe)
    sink.pipe = NULL
    if status == RELAY_WAITING and moved < BULK_RECEIVE:
        source.bulk = 0
    return status


cdef RelayStatus empty_pipe(CoreC* core, SideC* sink) noexcept nogil:
    """Send what the pipe holds; when all has gone, give the pipe back and return RELAY_WAITING."""
    cdef ssize_t sent
    while sink.pipe.filled:
        sent = splice(sink.pipe.read_fd, NULL, sink.source.fd, NULL, sink.pipe.filled,
                      SPLICE_F_MOVE | SPLICE_F_NONBLOCK)
        if sent < 0:
            # With a signal pending, splice gives up before it looks at the socket: no event would follow.
            if errno == EINTR:
                continue
            return nothing_sent(sink)
        sink.pipe.filled -= <uint32_t>sent
        count_sent(sink, sent)
    pipe_give(&core.pipes, sink.pipe)
    sink.pipe = NULL
    return RELAY_WAITING


cdef uint32_t side_input_flags(int family) noexcept nogil:
    # On a Unix socket a receive ends behind a message that carried descriptors, so short does not mean empty.
    return SIDE_READABLE | SIDE_UNTIL_EMPTY if family == AF_UNIX else SIDE_READABLE


cdef void side_clear(CoreC* core, SideC* side) noexcept nogil:
    byte_queue_clear(&core.blocks, &side.queue)
    if side.pipe != NULL:
        pipe_give(&core.pipes, side.pipe)
        side.pipe = NULL
