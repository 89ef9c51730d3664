"""One relayed connection; the contract stands in connection.pxd."""

from libc.string cimport memset
from mesh_core.includes.linux cimport (
    EPOLLERR, EPOLLHUP, EPOLLIN, EPOLLOUT, EPOLLPRI, EPOLLRDHUP, close,
)
from mesh_core.includes.socket cimport SHUT_WR, shutdown
from mesh_core.net.sockets cimport socket_close_reset
from mesh_core.relay.record cimport connection_record
from mesh_core.relay.relay cimport (
    RELAY_BLOCKED, RELAY_ENDED, RELAY_SINK_FAILED, RELAY_SOURCE_FAILED, RELAY_TLS_FAILED,
    RELAY_TRUNCATED, RELAY_YIELDED, SIDE_BLOCKED, SIDE_ENDED,
    SIDE_FAILED, SIDE_READABLE, SIDE_SHUT, SIDE_UNTIL_EMPTY, RelayStatus, relay_move, side_clear,
    side_input_flags,
)
from mesh_core.relay.tls_relay cimport tls_relay_move
from mesh_core.relay.upstream_counts cimport upstream_leave
from mesh_core.runtime.clock cimport monotonic_us, wall_clock_us
from mesh_core.runtime.core cimport WORKERS_MOST, core_notify
from mesh_core.runtime.debug cimport require
from mesh_core.runtime.memory cimport memory_alloc, memory_free
from mesh_core.runtime.reactor cimport (
    reactor_cancel_task, reactor_cancel_timer, reactor_ignore, reactor_queue_task, reactor_retire, reactor_set_timer,
    reactor_watch,
)
from mesh_core.snapshot.shared_count cimport shared_count_leave
from mesh_core.snapshot.snapshot cimport snapshot_hold, snapshot_release
from mesh_core.telemetry.response_flags cimport (
    DETAIL_DOWNSTREAM_RESET, DETAIL_IDLE_TIMEOUT, DETAIL_MAX_DURATION, DETAIL_OUT_OF_MEMORY, DETAIL_TLS_RECORD,
    DETAIL_TLS_TRUNCATED, DETAIL_UPSTREAM_RESET,
    FLAG_DOWNSTREAM_CONNECTION_TERMINATION, FLAG_DURATION_TIMEOUT, FLAG_OVERLOAD, FLAG_STREAM_IDLE_TIMEOUT,
    FLAG_UPSTREAM_CONNECTION_TERMINATION,
)
from mesh_core.telemetry.stats cimport (
    CLUSTER_CX_RESET, CLUSTER_TLS_CONNECTION_ERROR, CLUSTER_TLS_TRUNCATED, LISTENER_CX_DESTROYED, LISTENER_CX_RESET,
    LISTENER_CX_TOTAL, LISTENER_IDLE_TIMEOUT, LISTENER_MAX_DURATION, LISTENER_RX_BYTES, LISTENER_TX_BYTES,
    LISTENER_TLS_CONNECTION_ERROR, LISTENER_TLS_TRUNCATED, SERVER_MEMORY_EXHAUSTED,
)
from mesh_core.tls.session cimport tls_destroy, tls_failure_text


# --- the open connection: events in, bytes moved ---

cdef void on_downstream(void* owner, uint32_t events) noexcept nogil:
    cdef ConnectionC* connection = <ConnectionC*>owner
    on_side(connection, &connection.downstream, &connection.upstream, events)


cdef void on_upstream(void* owner, uint32_t events) noexcept nogil:
    cdef ConnectionC* connection = <ConnectionC*>owner
    on_side(connection, &connection.upstream, &connection.downstream, events)


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
    if connection.secure:
        return tls_relay_move(connection.table.core, source, sink, connection.listener.buffer_limit)
    return relay_move(connection.table.core, source, sink, connection.listener.buffer_limit)


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
        connection.upstream_failure = tls_failure_text(source.tls)
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
    cdef SideC* upstream = &connection.upstream
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


# --- beginning and end ---

cdef ConnectionC* connection_create(
    ConnectionTableC* table, SnapshotC* snapshot, const ListenerC* listener, int fd
) noexcept nogil:
    cdef CoreC* core = table.core
    cdef uint64_t* stats = listener.stats[core.index]
    cdef ConnectionC* connection = table.spare
    if connection != NULL:
        table.spare = connection.next
        table.spare_count -= 1
        memset(connection, 0, sizeof(ConnectionC))
    else:
        connection = <ConnectionC*>memory_alloc(sizeof(ConnectionC))
        if connection == NULL:
            return NULL
    connection.table = table
    connection.snapshot = snapshot
    snapshot_hold(snapshot, core.index)
    connection.listener = listener
    connection.chain = listener.fallback
    connection.cluster = listener.fallback.cluster if listener.fallback != NULL else NULL
    connection.id = core.next_connection_id
    core.next_connection_id += WORKERS_MOST
    connection.opened_ms = connection.last_active_ms = core.reactor.now_ms
    connection.start_time_us = wall_clock_us()
    connection.opened_us = monotonic_us()
    connection.connect_time_us = -1
    connection.downstream.source.owner = connection
    connection.downstream.source.fd = fd
    connection.downstream.input_flags = side_input_flags(listener.local.family)
    connection.downstream.rx_counter = &stats[LISTENER_RX_BYTES]
    connection.downstream.tx_counter = &stats[LISTENER_TX_BYTES]
    connection.upstream.source.owner = connection
    connection.upstream.source.fd = -1
    connection.timer.owner = connection
    connection.task.owner = connection
    connection.next = table.first
    connection.link = &table.first
    if connection.next != NULL:
        connection.next.link = &connection.next
    table.first = connection
    stats[LISTENER_CX_TOTAL] += 1
    return connection


cdef bint connection_watch(ConnectionC* connection, SideC* side) noexcept nogil:
    if reactor_watch(&connection.table.core.reactor, &side.source) == 0:
        return True
    connection_out_of_memory(connection)
    return False


cdef void connection_opened(ConnectionC* connection) noexcept nogil:
    connection.last_active_ms = connection.table.core.reactor.now_ms
    connection.downstream.source.on_event = on_downstream
    connection.upstream.source.on_event = on_upstream
    set_deadline(connection)
    connection.task.run = on_task
    connection.secure = connection.downstream.tls != NULL or connection.upstream.tls != NULL
    if connection.upstream.queue.size or connection.downstream.flags & SIDE_READABLE or connection.secure:
        if not move(connection, &connection.downstream, &connection.upstream):
            return
    if connection.upstream.flags & SIDE_READABLE or connection.secure:
        move(connection, &connection.upstream, &connection.downstream)


cdef void connection_close(ConnectionC* connection) noexcept nogil:
    dispose(connection, False)


cdef void connection_abort(ConnectionC* connection, uint32_t flag, uint16_t detail) noexcept nogil:
    connection.flags |= flag
    connection.detail = detail
    dispose(connection, True)


cdef void connection_out_of_memory(ConnectionC* connection) noexcept nogil:
    connection.table.core.stats[SERVER_MEMORY_EXHAUSTED] += 1
    connection_abort(connection, FLAG_OVERLOAD, DETAIL_OUT_OF_MEMORY)


cdef void dispose(ConnectionC* connection, bint reset) noexcept nogil:
    """Write the record, close both sockets, leave every list; the memory goes at the end of the turn."""
    cdef CoreC* core = connection.table.core
    require(connection.downstream.source.on_event != reactor_ignore)
    if connection.snapshot.access_log:
        connection_record(connection, monotonic_us())
    connection_close_side(connection, &connection.downstream, reset)
    connection_close_side(connection, &connection.upstream, reset)
    reactor_cancel_timer(&core.reactor, &connection.timer)
    reactor_cancel_task(&core.reactor, &connection.task)
    connection.link[0] = connection.next
    if connection.next != NULL:
        connection.next.link = connection.link
    connection.listener.stats[core.index][LISTENER_CX_DESTROYED] += 1
    upstream_leave(connection)
    memory_free(connection.tried)
    if connection.counted:
        shared_count_leave(connection.listener.active)
        shared_count_leave(connection.snapshot.active)
    if snapshot_release(connection.snapshot, core.index):
        core_notify(core)
    connection.retired.free = free_connection
    connection.retired.owner = connection
    reactor_retire(&core.reactor, &connection.retired)


cdef void connection_close_side(ConnectionC* connection, SideC* side, bint reset) noexcept nogil:
    side.source.on_event = reactor_ignore
    if side.source.fd >= 0:
        if reset:
            socket_close_reset(side.source.fd)
        else:
            close(side.source.fd)
        side.source.fd = -1
    side_clear(connection.table.core, side)
    tls_destroy(side.tls)
    side.tls = NULL


cdef void free_connection(void* owner) noexcept nogil:
    cdef ConnectionC* connection = <ConnectionC*>owner
    cdef ConnectionTableC* table = connection.table
    if table.spare_count >= SPARES_KEPT:
        memory_free(connection)
        return
    connection.next = table.spare
    table.spare = connection
    table.spare_count += 1


cdef void connection_table_destroy(ConnectionTableC* table) noexcept nogil:
    cdef ConnectionC* connection
    while table.spare != NULL:
        connection = table.spare
        table.spare = connection.next
        memory_free(connection)
    table.spare_count = 0
