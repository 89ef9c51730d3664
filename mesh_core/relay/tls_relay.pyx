"""Moving bytes where TLS is spoken; the contract stands in tls_relay.pxd."""

from mesh_core.includes.socket cimport recv
from mesh_core.relay.relay cimport (
    MOVE_ROUNDS, RELAY_BLOCKED, RELAY_ENDED, RELAY_NO_MEMORY, RELAY_SINK_FAILED, RELAY_SOURCE_FAILED, RELAY_TLS_FAILED,
    RELAY_TRUNCATED, RELAY_WAITING, RELAY_YIELDED, relay_flush, relay_nothing_received, relay_send,
)
from mesh_core.relay.side cimport SIDE_BLOCKED, SIDE_ENDED, SIDE_READABLE, SIDE_SHUT, SIDE_UNTIL_EMPTY
from mesh_core.runtime.core cimport SCRATCH_BYTES
from mesh_core.tls.session cimport (
    TLS_BUFFERED, TLS_CLOSE_SENT, TLS_CLOSED, TLS_FAILED, TLS_RECORD_BYTES, TLS_WANT, tls_close, tls_feed,
    tls_feed_borrowed, tls_has_input, tls_output, tls_read, tls_relax, tls_write,
)

cdef enum:
    RECEIVE_MOST = SCRATCH_BYTES - 2 * TLS_RECORD_BYTES  # so that `core.plain` holds what comes out
    BORROW_FROM = 4096         # receives of this size or more are read where they are
    RECORD_ROOM = 512          # what a record is larger than its content, at most (RFC 8446, section 5.2)


cdef RelayStatus tls_relay_move(CoreC* core, SideC* source, SideC* sink, size_t limit) noexcept nogil:
    cdef RelayStatus status = RELAY_WAITING
    cdef int rounds = 0
    if sink.queue.size:
        status = relay_flush(core, sink)
        if status != RELAY_WAITING:
            return status
    while status == RELAY_WAITING and has_input(source):
        if rounds == MOVE_ROUNDS:
            return RELAY_YIELDED
        rounds += 1
        if source.tls == NULL:
            status = move_plain(core, source, sink, limit)
        elif source.queue.size > limit:
            # It makes our session answer, and does not take the answers.
            return RELAY_BLOCKED
        else:
            status = move_records(core, source, sink, limit)
    if source.tls != NULL:
        tls_relax(source.tls)
    if sink.tls != NULL:
        tls_relax(sink.tls)
    if status == RELAY_WAITING and source.flags & SIDE_ENDED:
        return pass_close(core, sink)
    return status


cdef inline bint has_input(const SideC* source) noexcept nogil:
    if source.flags & SIDE_ENDED:
        return False
    return source.flags & SIDE_READABLE or (source.tls != NULL and source.tls.flags & TLS_BUFFERED)


cdef RelayStatus move_plain(CoreC* core, SideC* source, SideC* sink, size_t limit) noexcept nogil:
    """One receive in the clear, for a sink with TLS."""
    cdef RelayStatus status
    cdef ssize_t received = recv(source.source.fd, core.plain, limit, 0)
    if received <= 0:
        status = relay_nothing_received(source, received)
        return RELAY_WAITING if status == RELAY_ENDED or status == RELAY_YIELDED else status
    if <size_t>received < limit and not source.flags & SIDE_UNTIL_EMPTY:
        source.flags &= ~SIDE_READABLE
    return put(core, source, sink, core.plain, received)


cdef RelayStatus move_records(CoreC* core, SideC* source, SideC* sink, size_t limit) noexcept nogil:
    """One receive of records, and all that they hold."""
    cdef size_t size
    cdef RelayStatus status = tls_relay_receive(core, source, limit, &size)
    cdef RelayStatus put_status
    if not size:
        return RELAY_WAITING if status == RELAY_ENDED else status
    put_status = put(core, source, sink, core.plain, size)
    return put_status if status == RELAY_WAITING or put_status > RELAY_BLOCKED else status


cdef RelayStatus tls_relay_receive(CoreC* core, SideC* source, size_t limit, size_t* size) noexcept nogil:
    cdef RelayStatus status
    cdef ssize_t received
    cdef bint fed
    size[0] = 0
    if source.tls.flags & TLS_BUFFERED:
        # Behind the last message of a handshake.
        source.tls.flags &= ~TLS_BUFFERED
        status = read_records(core, source, size)
        if size[0] or status != RELAY_WAITING or not has_input(source):
            return status
    # What an earlier receive left of a record may come out too.
    received = recv(source.source.fd, core.scratch, min(limit, <size_t>RECEIVE_MOST), 0)
    if received <= 0:
        status = relay_nothing_received(source, received)
        if status == RELAY_ENDED and not source.flags & SIDE_SHUT:
            return RELAY_TRUNCATED
        return RELAY_WAITING if status == RELAY_YIELDED else status
    if <size_t>received < min(limit, <size_t>RECEIVE_MOST) and not source.flags & SIDE_UNTIL_EMPTY:
        source.flags &= ~SIDE_READABLE
    if received >= BORROW_FROM:
        fed = tls_feed_borrowed(source.tls, core.scratch, received)
    else:
        fed = tls_feed(source.tls, core.scratch, received)
    return read_records(core, source, size) if fed else RELAY_NO_MEMORY


cdef RelayStatus read_records(CoreC* core, SideC* source, size_t* filled) noexcept nogil:
    """Read all that the session was fed, and send what the session answers."""
    cdef RelayStatus answered
    cdef int size = 1
    while size > 0:
        size = tls_read(source.tls, core.plain + filled[0], <int>(SCRATCH_BYTES - filled[0]))
        if size > 0:
            filled[0] += size
            if not tls_has_input(source.tls):
                # That was all: asking once more would tell it, at a price.
                size = TLS_WANT
    if size == TLS_CLOSED:
        source.flags = (source.flags & ~SIDE_READABLE) | SIDE_ENDED
    answered = tls_relay_output(core, source)
    if size == TLS_FAILED:
        return RELAY_TLS_FAILED
    if answered == RELAY_SINK_FAILED:
        return RELAY_SOURCE_FAILED
    return RELAY_NO_MEMORY if answered == RELAY_NO_MEMORY else RELAY_WAITING


cdef inline RelayStatus put(
    CoreC* core, SideC* source, SideC* sink, const uint8_t* data, size_t size
) noexcept nogil:
    source.received += size
    source.rx_counter[0] += size
    return tls_relay_send(core, sink, data, size) if sink.tls != NULL else relay_send(core, sink, data, size)


cdef RelayStatus tls_relay_send(CoreC* core, SideC* sink, const uint8_t* data, size_t size) noexcept nogil:
    cdef RelayStatus status = RELAY_WAITING
    cdef size_t filled = 0
    cdef size_t piece
    sink.sent += size
    sink.tx_counter[0] += size
    while size:
        piece = min(size, <size_t>TLS_RECORD_BYTES)
        if not tls_write(sink.tls, data, <int>piece):
            return RELAY_SINK_FAILED
        filled += tls_output(sink.tls, core.wire + filled, <int>(SCRATCH_BYTES - filled))
        data += piece
        size -= piece
        if not size or filled > SCRATCH_BYTES - TLS_RECORD_BYTES - RECORD_ROOM:
            status = relay_send(core, sink, core.wire, filled)
            if status != RELAY_WAITING and status != RELAY_BLOCKED:
                return status
            filled = 0
    filled = tls_output(sink.tls, core.wire, SCRATCH_BYTES)
    if filled:
        # A peer that asked for small records (RFC 6066, section 4) makes more overhead than RECORD_ROOM.
        status = relay_send(core, sink, core.wire, filled)
    return status


cdef RelayStatus pass_close(CoreC* core, SideC* sink) noexcept nogil:
    """The source's stream has ended, and all of it has been sent or waits: end our own to the sink."""
    if sink.tls != NULL and not sink.tls.flags & TLS_CLOSE_SENT:
        tls_close(sink.tls)
        if tls_relay_output(core, sink) == RELAY_SINK_FAILED:
            return RELAY_SINK_FAILED
    return RELAY_BLOCKED if sink.flags & SIDE_BLOCKED else RELAY_ENDED


cdef RelayStatus tls_relay_output(CoreC* core, SideC* side) noexcept nogil:
    cdef RelayStatus status = RELAY_WAITING
    cdef int size = tls_output(side.tls, core.wire, SCRATCH_BYTES)
    while size and (status == RELAY_WAITING or status == RELAY_BLOCKED):
        status = relay_send(core, side, core.wire, size)
        size = tls_output(side.tls, core.wire, SCRATCH_BYTES)
    return status
