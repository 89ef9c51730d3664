"""A downstream connection that speaks HTTP/1; the contract stands in downstream.pxd."""

from libc.stdint cimport uint8_t, uint32_t, uint64_t
from mesh_core.http.deadlines cimport deadlines_arm, deadlines_arm_idle, deadlines_begin, deadlines_follow
from mesh_core.http.input cimport INPUT_NO_MEMORY, input_head
from mesh_core.http.refusal cimport request_refuse
from mesh_core.http.request cimport request_begin
from mesh_core.http.stream cimport STREAM_LAST, STREAM_RESPONDED, DownstreamC, downstream_of
from mesh_core.http1.errors cimport HTTP1_BAD_UPGRADE
from mesh_core.http1.head cimport HEAD_INCOMPLETE, HEAD_REQUEST, HeadC
from mesh_core.includes.likely cimport unlikely
from mesh_core.relay.connection cimport connection_abort, connection_close, connection_out_of_memory
from mesh_core.relay.lingering cimport connection_linger
from mesh_core.relay.relay cimport (
    RELAY_ENDED, RELAY_NO_MEMORY, RELAY_TLS_FAILED, RELAY_TRUNCATED, RELAY_WAITING, RelayStatus,
)
from mesh_core.relay.transport cimport side_has_input, side_receive
from mesh_core.runtime.core cimport CoreC, core_notify
from mesh_core.runtime.reactor cimport reactor_queue_task
from mesh_core.snapshot.shared_count cimport shared_count_enter, shared_count_leave
from mesh_core.snapshot.snapshot cimport snapshot_find_listener, snapshot_hold, snapshot_release
from mesh_core.snapshot.tables cimport FilterChainC, ListenerC
from mesh_core.telemetry.response_flags cimport (
    DETAIL_DOWNSTREAM_CLOSED_IN_REQUEST, DETAIL_DOWNSTREAM_RESET, DETAIL_TLS_RECORD, DETAIL_TLS_TRUNCATED,
    FLAG_DOWNSTREAM_CONNECTION_TERMINATION,
)
from mesh_core.telemetry.stats cimport (
    LISTENER_CX_RESET, LISTENER_RX_BYTES, LISTENER_TLS_CONNECTION_ERROR, LISTENER_TLS_TRUNCATED, LISTENER_TX_BYTES,
)
from mesh_core.tls.session cimport tls_failure_text

cdef enum:
    READ_ROUNDS = 32           # requests, or pieces of one, in one event


cdef void downstream_continue(ConnectionC* connection) noexcept nogil:
    cdef DownstreamC* downstream = downstream_of(connection)
    cdef int _round
    if unlikely(connection.downstream.source.fd < 0 or downstream == NULL or downstream.reading):
        return
    downstream.reading = True
    for _round in range(READ_ROUNDS):
        if not read_next(connection, downstream):
            break
    else:
        reactor_queue_task(&connection.table.core.reactor, &connection.task)
    if downstream_of(connection) == downstream:
        downstream.reading = False


cdef bint read_next(ConnectionC* connection, DownstreamC* downstream) noexcept nogil:
    """Go on between two requests; False when there is nothing to go on with for now."""
    if downstream.stream != NULL:
        deadlines_follow(downstream.stream)
        return False
    if unlikely(downstream.closing):
        finish(connection)
        return False
    if unlikely(connection.downstream.queue.size or connection.downstream.pipe != NULL):
        # Whoever does not read the answers gets no further ones.
        deadlines_arm(connection)
        return False
    return read_head(connection, downstream) and downstream_of(connection) == downstream


cdef bint read_head(ConnectionC* connection, DownstreamC* downstream) noexcept nogil:
    """Read what there is of the next head, and begin its stream once it is whole; False when there is no more."""
    cdef CoreC* core = connection.table.core
    cdef const uint8_t* data = NULL
    cdef size_t size = 0
    cdef RelayStatus status
    cdef HeadC* head
    cdef int verdict
    # A head is read by the limits that it began with, for which it has room.
    if unlikely(connection.snapshot != downstream.worker.current[0]) and downstream.input.head == NULL and (
            not follow(connection)):
        # Its listener is gone: what it asks for is done, and then it ends.
        downstream.last = True
    if not downstream.input.size or downstream.input.head != NULL:
        status = side_receive(core, &connection.downstream, connection.listener.buffer_limit, &data, &size)
        if not size:
            # There was nothing behind the Upgrade after all.
            downstream.refused = False
            if unlikely(status != RELAY_WAITING):
                source_ended(connection, status)
            elif unlikely(downstream.head_begun_ms):
                deadlines_arm(connection)
            else:
                deadlines_arm_idle(connection)
            return False
    if unlikely(downstream.refused):
        request_refuse(connection, HTTP1_BAD_UPGRADE)
        return True
    verdict = input_head(
        &downstream.input, HEAD_REQUEST, &connection.chain.http.settings.limits, downstream.worker.fields,
        &downstream.worker.head, &data, &size, &head)
    if unlikely(verdict == HEAD_INCOMPLETE):
        if not downstream.head_begun_ms:
            downstream.head_begun_ms = core.reactor.now_ms
            deadlines_arm(connection)
        return True
    downstream.head_begun_ms = 0
    if unlikely(verdict == INPUT_NO_MEMORY):
        connection_out_of_memory(connection)
        return False
    if unlikely(verdict < 0):
        request_refuse(connection, verdict)
    else:
        request_begin(connection, head, data, size)
    if downstream_of(connection) == downstream and downstream.stream != NULL:
        deadlines_begin(downstream.stream)
    return True


cdef void source_ended(ConnectionC* connection, RelayStatus status) noexcept nogil:
    """The downstream has ended its connection between requests, or in the middle of a head."""
    cdef uint64_t* stats = connection.listener.stats[connection.table.core.index]
    cdef bint between = not downstream_of(connection).input.size
    if status == RELAY_ENDED and between:
        finish(connection)
    elif status == RELAY_TRUNCATED and between:
        # Nothing was cut but close_notify (RFC 9112, section 9.8), and a reset could overtake the last answer.
        stats[LISTENER_TLS_TRUNCATED] += 1
        finish(connection)
    elif status == RELAY_NO_MEMORY:
        connection_out_of_memory(connection)
    elif status == RELAY_TRUNCATED or status == RELAY_TLS_FAILED:
        stats[LISTENER_TLS_TRUNCATED if status == RELAY_TRUNCATED else LISTENER_TLS_CONNECTION_ERROR] += 1
        connection.downstream_failure = tls_failure_text(connection.downstream.tls)
        connection_abort(connection, FLAG_DOWNSTREAM_CONNECTION_TERMINATION,
                         DETAIL_TLS_TRUNCATED if status == RELAY_TRUNCATED else DETAIL_TLS_RECORD)
    else:
        stats[LISTENER_CX_RESET] += 1
        connection_abort(connection, FLAG_DOWNSTREAM_CONNECTION_TERMINATION,
                         DETAIL_DOWNSTREAM_CLOSED_IN_REQUEST if status == RELAY_ENDED else DETAIL_DOWNSTREAM_RESET)


cdef void finish(ConnectionC* connection) noexcept nogil:
    """End it in peace, once all that was said to it has gone."""
    cdef DownstreamC* downstream = downstream_of(connection)
    downstream.closing = True
    if (connection.downstream.queue.size or connection.downstream.pipe != NULL or connection.downstream.tls != NULL
            or downstream.unread or downstream.input.size or side_has_input(&connection.downstream)):
        connection_linger(connection)
    else:
        connection_close(connection)


# --- snapshots ---

cdef bint follow(ConnectionC* connection) noexcept nogil:
    """Go by the newest snapshot from now on; False when that has no such listener and filter chain."""
    cdef CoreC* core = connection.table.core
    cdef SnapshotC* newest = downstream_of(connection).worker.current[0]
    cdef const ListenerC* listener
    cdef const FilterChainC* chain = chain_in(newest, connection, &listener)
    if chain == NULL:
        return False
    if connection.counted and listener.active != connection.listener.active:
        shared_count_leave(connection.listener.active)
        shared_count_enter(listener.active, 0)
    snapshot_hold(newest, core.index)
    if snapshot_release(connection.snapshot, core.index):
        core_notify(core)
    connection.snapshot = newest
    connection.listener = listener
    connection.chain = chain
    connection.cluster = chain.cluster
    connection.downstream.rx_counter = &listener.stats[core.index][LISTENER_RX_BYTES]
    connection.downstream.tx_counter = &listener.stats[core.index][LISTENER_TX_BYTES]
    # A time-out may be shorter now than what the timer was set by.
    deadlines_arm(connection)
    return True


cdef const FilterChainC* chain_in(
    const SnapshotC* snapshot, const ConnectionC* connection, const ListenerC** listener
) noexcept nogil:
    """The connection's filter chain as it is there, and its listener; NULL when it is gone, or speaks no HTTP."""
    cdef const FilterChainC* chain = NULL
    listener[0] = NULL
    if snapshot != NULL:
        listener[0] = snapshot_find_listener(snapshot, connection.listener.socket_id)
    if listener[0] != NULL:
        chain = find_chain(listener[0], connection.chain.id)
    return chain if chain != NULL and chain.http != NULL else NULL


cdef const FilterChainC* find_chain(const ListenerC* listener, uint64_t chain_id) noexcept nogil:
    cdef uint32_t index
    if listener.fallback != NULL and listener.fallback.id == chain_id:
        return listener.fallback
    for index in range(listener.chain_count):
        if listener.chains[index].id == chain_id:
            return &listener.chains[index]
    return NULL


cdef void downstream_retire(DownstreamC* downstream) noexcept nogil:
    downstream.last = True
    if downstream.stream != NULL and not downstream.stream.flags & STREAM_RESPONDED:
        downstream.stream.flags |= STREAM_LAST


cdef void downstreams_adopt(HttpWorkerC* worker, ConnectionC* first) noexcept nogil:
    cdef ConnectionC* connection
    cdef ConnectionC* following = first
    cdef DownstreamC* downstream
    cdef const ListenerC* listener
    while following != NULL:
        connection = following
        following = connection.next
        downstream = downstream_of(connection)
        if downstream == NULL or downstream.closing or connection.snapshot == worker.current[0]:
            continue
        if downstream.stream != NULL or downstream.input.head != NULL:
            # It keeps its own snapshot to the end; only that there is no further one is told in time.
            if chain_in(worker.current[0], connection, &listener) == NULL:
                downstream_retire(downstream)
        elif not follow(connection):
            # Its next request may be on its way: that is answered, and told to be the last.
            downstream.last = True
            deadlines_arm(connection)
