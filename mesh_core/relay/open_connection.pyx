"""An open connection; the contract stands in open_connection.pxd."""

from libc.stdint cimport int64_t, uint32_t, uint64_t
from mesh_core.includes.linux cimport EPOLLERR, EPOLLHUP, EPOLLIN, EPOLLOUT, EPOLLPRI, EPOLLRDHUP
from mesh_core.includes.socket cimport SHUT_WR, shutdown
from mesh_core.relay.connection cimport connection_abort, connection_close, connection_out_of_memory
from mesh_core.relay.relay cimport (
    RELAY_BLOCKED, RELAY_ENDED, RELAY_SINK_FAILED, RELAY_SOURCE_FAILED, RELAY_TLS_FAILED, RELAY_TRUNCATED,
    RELAY_YIELDED, RelayStatus, relay_move, side_clear,
)
from mesh_core.relay.side cimport (
    SIDE_BLOCKED, SIDE_ENDED, SIDE_FAILED, SIDE_READABLE, SIDE_SHUT, SIDE_UNTIL_EMPTY, SideC,
)
from mesh_core.relay.tls_relay cimport tls_relay_move
from mesh_core.runtime.reactor cimport reactor_cancel_timer, reactor_queue_task, reactor_set_timer
from mesh_core.snapshot.tables cimport ListenerC
from mesh_core.telemetry.response_flags cimport (
    DETAIL_DOWNSTREAM_RESET, DETAIL_IDLE_TIMEOUT, DETAIL_MAX_DURATION, DETAIL_TLS_RECORD, DETAIL_TLS_TRUNCATED,
    DETAIL_UPSTREAM_RESET, FLAG_DOWNSTREAM_CONNECTION_TERMINATION, FLAG_DURATION_TIMEOUT, FLAG_STREAM_IDLE_TIMEOUT,
    FLAG_UPSTREAM_CONNECTION_TERMINATION,
)
from mesh_core.telemetry.stats cimport (
    CLUSTER_CX_RESET, CLUSTER_TLS_CONNECTION_ERROR, CLUSTER_TLS_TRUNCATED, LISTENER_CX_RESET, LISTENER_IDLE_TIMEOUT,
    LISTENER_MAX_DURATION, LISTENER_TLS_CONNECTION_ERROR, LISTENER_TLS_TRUNCATED,
)
from mesh_core.tls.session cimport tls_failure_text

cdef enum:
    UNBOUNDED = 0x7FFFFFFFFFFFFFFF
    LAST_ROUNDS = 64           # calls for what a peer sent before it reset the connection


cdef void connection_opened(ConnectionC* connection) noexcept nogil:
    connection.last_active_ms = connection.table.core.reactor.now_ms
    connection.downstream.source.on_event = on_downstream
    connection.upstream.side.source.owner = connection
    connection.upstream.side.source.on_event = on_upstream
    set_deadline(connection)
    connection.task.run = on_task
    connection.secure = connection.downstream.tls != NULL or connection.upstream.side.tls != NULL
    if connection.upstream.side.queue.size or connection.downstream.flags & SIDE_READABLE or connection.secure:
        if not move(connection, &connection.downstream, &connection.upstream.side):
            return
    if connection.upstream.side.flags & SIDE_READABLE or connection.secure:
        move(connection, &connection.upstream.side, &connection.downstream)


# --- events in, bytes moved ---

cdef void on_downstream(void* owner, uint32_t events) noexcept nogil:
    cdef ConnectionC* connection = <ConnectionC*>owner
    on_side(connection, &connection.downstream, &connection.upstream.side, events)


cdef void on_upstream(void* owner, uint32_t events) noexcept nogil:
    cdef ConnectionC* connection = <ConnectionC*>owner
    on_side(connection, &connection.upstream.side, &connection.downstream, events)


cdef inline void on_side(ConnectionC* connection, SideC* side, SideC* other, uint32_t events) noexcept nogil:
    connection.last_active_ms = connection.table.core.reactor.now_ms
    if events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR | EPOLLPRI):
        if events & EPOLLERR:
            side.flags |= SIDE_FAILED
        if not side.flags & SIDE_ENDED:
            side.flags |= SIDE_READABLE | SIDE_UNTIL_EMPTY
        elif events & EPOLLERR:
            # A reset after its end of stream: a receive would only tell the end again.
            source_failed(connection, side)
            return
        elif events & EPOLLHUP and not side.flags & SIDE_SHUT:
            closed_by_peer(connection, side)
            return
    elif events & EPOLLIN:
        side.flags |= side.input_flags
    if events & EPOLLOUT and side.flags & SIDE_BLOCKED:
        side.flags &= ~SIDE_BLOCKED
        if not move(connection, other, side):
            return
    if side.flags & SIDE_READABLE:
        if not other.flags & SIDE_BLOCKED:
            move(connection, side, other)
        elif events & EPOLLERR:
            # The peer is gone for good, and the other side would learn of it only once it reads again.
            source_failed(connection, side)


cdef inline RelayStatus transfer(ConnectionC* connection, SideC* source, SideC* sink) noexcept nogil:
    cdef uint64_t left = UNBOUNDED
    if connection.secure:
        return tls_relay_move(connection.table.core, source, sink, connection.listener.buffer_limit)
    return relay_move(connection.table.core, source, sink, connection.listener.buffer_limit, &left)


cdef inline bint move(ConnectionC* connection, SideC* source, SideC* sink) noexcept nogil:
    """Move bytes; False when the connection is no more."""
    cdef RelayStatus status = transfer(connection, source, sink)
    if status <= RELAY_BLOCKED:
        return True
    return settle(connection, source, sink, status)


# --- everything that is not plain moving ---

cdef bint settle(ConnectionC* connection, SideC* source, SideC* sink, RelayStatus status) noexcept nogil:
    """Act on a status beyond RELAY_BLOCKED; False when the connection is no more."""
    if status == RELAY_YIELDED:
        reactor_queue_task(&connection.table.core.reactor, &connection.task)
        return True
    if status == RELAY_ENDED and not source.flags & SIDE_FAILED:
        return pass_end(connection, source, sink)
    if status == RELAY_ENDED or status == RELAY_SOURCE_FAILED:
        # An end of stream with a reset behind it is a reset.
        source_failed(connection, source)
    elif status == RELAY_SINK_FAILED:
        sink_failed(connection, source, sink)
    elif status == RELAY_TRUNCATED or status == RELAY_TLS_FAILED:
        tls_failed(connection, source, status == RELAY_TRUNCATED)
    else:
        connection_out_of_memory(connection)
    return False


cdef bint pass_end(ConnectionC* connection, SideC* source, SideC* sink) noexcept nogil:
    """The source has ended and all it sent has gone: a half-close, or the end when the other half is closed too."""
    if sink.flags & SIDE_ENDED and source.flags & SIDE_SHUT:
        connection_close(connection)
        return False
    if not sink.flags & SIDE_SHUT:
        sink.flags |= SIDE_SHUT
        shutdown(sink.source.fd, SHUT_WR)
    return True


cdef void source_failed(ConnectionC* connection, SideC* source) noexcept nogil:
    if source == &connection.downstream:
        connection.listener.stats[connection.table.core.index][LISTENER_CX_RESET] += 1
        connection_abort(connection, FLAG_DOWNSTREAM_CONNECTION_TERMINATION, DETAIL_DOWNSTREAM_RESET)
    else:
        connection.cluster.stats[connection.table.core.index][CLUSTER_CX_RESET] += 1
        connection_abort(connection, FLAG_UPSTREAM_CONNECTION_TERMINATION, DETAIL_UPSTREAM_RESET)


cdef void tls_failed(ConnectionC* connection, SideC* source, bint truncated) noexcept nogil:
    """What the source said was cut off, or is no valid TLS: the other side must not take it for an end."""
    cdef uint32_t index = connection.table.core.index
    cdef int detail = DETAIL_TLS_TRUNCATED if truncated else DETAIL_TLS_RECORD
    if source == &connection.downstream:
        connection.listener.stats[index][LISTENER_TLS_TRUNCATED if truncated else LISTENER_TLS_CONNECTION_ERROR] += 1
        connection.downstream_failure = tls_failure_text(source.tls)
        connection_abort(connection, FLAG_DOWNSTREAM_CONNECTION_TERMINATION, detail)
    else:
        connection.cluster.stats[index][CLUSTER_TLS_TRUNCATED if truncated else CLUSTER_TLS_CONNECTION_ERROR] += 1
        connection.upstream.failure = tls_failure_text(source.tls)
        connection_abort(connection, FLAG_UPSTREAM_CONNECTION_TERMINATION, detail)


cdef void closed_by_peer(ConnectionC* connection, SideC* side) noexcept nogil:
    """A Unix peer that had half-closed is gone altogether, which TCP would tell only by a reset later."""
    if side.queue.size or side.pipe != NULL:
        source_failed(connection, side)
    else:
        connection_close(connection)


cdef void sink_failed(ConnectionC* connection, SideC* source, SideC* sink) noexcept nogil:
    """The sink reset the connection. What it said before that still reaches the source, then the reset does."""
    cdef int _round
    side_clear(connection.table.core, sink)
    sink.flags |= SIDE_FAILED | SIDE_READABLE | SIDE_UNTIL_EMPTY
    if not source.flags & SIDE_BLOCKED:
        for _round in range(LAST_ROUNDS):
            if transfer(connection, sink, source) != RELAY_YIELDED:
                break
    source_failed(connection, sink)


cdef void on_task(void* owner) noexcept nogil:
    """Go on where the last turn stopped, in both directions."""
    cdef ConnectionC* connection = <ConnectionC*>owner
    cdef SideC* downstream = &connection.downstream
    cdef SideC* upstream = &connection.upstream.side
    if downstream.flags & SIDE_READABLE and not upstream.flags & SIDE_BLOCKED:
        if not move(connection, downstream, upstream):
            return
    if upstream.flags & SIDE_READABLE and not downstream.flags & SIDE_BLOCKED:
        move(connection, upstream, downstream)


cdef void on_deadline(void* owner) noexcept nogil:
    """The idle time or the maximum duration may be over; activity only notes the time, so look."""
    cdef ConnectionC* connection = <ConnectionC*>owner
    cdef int64_t now_ms = connection.table.core.reactor.now_ms
    cdef const ListenerC* listener = connection.listener
    cdef uint64_t* stats = listener.stats[connection.table.core.index]
    if listener.max_duration_ms and now_ms - connection.opened_ms >= listener.max_duration_ms:
        stats[LISTENER_MAX_DURATION] += 1
        connection_abort(connection, FLAG_DURATION_TIMEOUT, DETAIL_MAX_DURATION)
    elif listener.idle_timeout_ms and now_ms - connection.last_active_ms >= listener.idle_timeout_ms:
        stats[LISTENER_IDLE_TIMEOUT] += 1
        connection_abort(connection, FLAG_STREAM_IDLE_TIMEOUT, DETAIL_IDLE_TIMEOUT)
    else:
        set_deadline(connection)


cdef void set_deadline(ConnectionC* connection) noexcept nogil:
    cdef const ListenerC* listener = connection.listener
    cdef int64_t deadline_ms = 0
    if listener.idle_timeout_ms:
        deadline_ms = connection.last_active_ms + listener.idle_timeout_ms
    if listener.max_duration_ms and (
            not deadline_ms or connection.opened_ms + listener.max_duration_ms < deadline_ms):
        deadline_ms = connection.opened_ms + listener.max_duration_ms
    connection.timer.fire = on_deadline
    if deadline_ms:
        reactor_set_timer(&connection.table.core.reactor, &connection.timer, deadline_ms)
    else:
        reactor_cancel_timer(&connection.table.core.reactor, &connection.timer)
