"""A downstream connection that speaks HTTP/1; the contract stands in downstream.pxd."""

from libc.stdint cimport int64_t, uint8_t, uint32_t, uint64_t
from mesh_core.http.input cimport INPUT_NO_MEMORY, input_head
from mesh_core.http.local_reply cimport stream_reply_status
from mesh_core.http.request cimport request_begin, request_late, request_refuse
from mesh_core.http.results cimport REQUEST_TIMEOUT, endpoint_failed_request
from mesh_core.http.stream cimport (
    STREAM_LAST, STREAM_RESPONDED, STREAM_SENT, DownstreamC, StreamC, downstream_of,
)
from mesh_core.http1.errors cimport HTTP1_BAD_UPGRADE
from mesh_core.http1.head cimport HEAD_INCOMPLETE, HEAD_REQUEST, HeadC
from mesh_core.relay.connection cimport connection_abort, connection_close, connection_out_of_memory
from mesh_core.relay.lingering cimport connection_linger
from mesh_core.relay.relay cimport (
    RELAY_ENDED, RELAY_NO_MEMORY, RELAY_TLS_FAILED, RELAY_TRUNCATED, RELAY_WAITING, RelayStatus,
)
from mesh_core.relay.transport cimport side_has_input, side_receive
from mesh_core.runtime.core cimport CoreC, core_notify
from mesh_core.runtime.reactor cimport reactor_queue_task, reactor_set_timer
from mesh_core.snapshot.shared_count cimport shared_count_enter, shared_count_leave
from mesh_core.snapshot.snapshot cimport snapshot_find_listener, snapshot_hold, snapshot_release
from mesh_core.snapshot.tables cimport FilterChainC, ListenerC
from mesh_core.telemetry.response_flags cimport (
    DETAIL_DOWNSTREAM_CLOSED_IN_REQUEST, DETAIL_DOWNSTREAM_RESET,
    DETAIL_STREAM_IDLE_TIMEOUT, DETAIL_TLS_RECORD, DETAIL_TLS_TRUNCATED, FLAG_DOWNSTREAM_CONNECTION_TERMINATION,
    FLAG_STREAM_IDLE_TIMEOUT,
)
from mesh_core.telemetry.stats cimport (
    LISTENER_CX_RESET, LISTENER_IDLE_TIMEOUT, LISTENER_MAX_DURATION, LISTENER_RQ_HEADER_TIMEOUT,
    LISTENER_RQ_IDLE_TIMEOUT, LISTENER_RX_BYTES, LISTENER_TLS_CONNECTION_ERROR, LISTENER_TLS_TRUNCATED,
    LISTENER_TX_BYTES,
)
from mesh_core.tls.session cimport tls_failure_text

cdef enum:
    READ_ROUNDS = 32           # requests, or pieces of one, in one event
    NEVER_MS = 0x7FFFFFFFFFFFFFFF


cdef void downstream_continue(ConnectionC* connection) noexcept nogil:
    cdef DownstreamC* downstream = downstream_of(connection)
    cdef int _round
    if connection.downstream.source.fd < 0 or downstream == NULL or downstream.reading:
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
        return False
    if downstream.closing:
        finish(connection)
        return False
    if connection.downstream.queue.size or connection.downstream.pipe != NULL:
        # Whoever does not read the answers gets no further ones.
        downstream_arm(connection)
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
    if connection.snapshot != downstream.worker.current[0] and downstream.input.head == NULL and not follow(connection):
        # Its listener is gone: what it asks for is done, and then it ends.
        downstream.last = True
    if not downstream.input.size or downstream.input.head != NULL:
        status = side_receive(core, &connection.downstream, connection.listener.buffer_limit, &data, &size)
        if not size:
            # There was nothing behind the Upgrade after all.
            downstream.refused = False
            if status != RELAY_WAITING:
                source_ended(connection, status)
            elif downstream.last and downstream.requests and not downstream.input.size:
                finish(connection)
            else:
                downstream_arm(connection)
            return False
    if downstream.refused:
        request_refuse(connection, HTTP1_BAD_UPGRADE)
        return True
    verdict = input_head(
        &downstream.input, HEAD_REQUEST, &connection.chain.http.settings.limits, downstream.worker.fields,
        &downstream.worker.head, &data, &size, &head)
    if verdict == HEAD_INCOMPLETE:
        if not downstream.head_begun_ms:
            downstream.head_begun_ms = core.reactor.now_ms
            downstream_arm(connection)
        return True
    downstream.head_begun_ms = 0
    if verdict == INPUT_NO_MEMORY:
        connection_out_of_memory(connection)
        return False
    if verdict < 0:
        request_refuse(connection, verdict)
    else:
        request_begin(connection, head, data, size)
    if downstream_of(connection) == downstream and downstream.stream != NULL:
        downstream_arm(connection)
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
                downstream.last = True
                if downstream.stream != NULL:
                    downstream.stream.flags |= STREAM_LAST
        elif not follow(connection):
            downstream.last = True
            if not downstream.input.size:
                finish(connection)


# --- time ---

cdef void downstream_arm(ConnectionC* connection) noexcept nogil:
    cdef DownstreamC* downstream = downstream_of(connection)
    cdef int64_t deadline_ms = next_deadline(connection)
    if deadline_ms != NEVER_MS and (not downstream.timer_ms or deadline_ms < downstream.timer_ms):
        downstream.timer_ms = deadline_ms
        reactor_set_timer(&connection.table.core.reactor, &connection.timer, deadline_ms)


cdef int64_t next_deadline(const ConnectionC* connection) noexcept nogil:
    cdef const DownstreamC* downstream = downstream_of(connection)
    cdef int64_t deadline_ms = stage_deadline(connection)
    cdef int64_t most_ms = connection.listener.max_duration_ms
    if most_ms and not downstream.last:
        deadline_ms = min(deadline_ms, connection.opened_ms + most_ms)
    return deadline_ms


cdef int64_t stage_deadline(const ConnectionC* connection) noexcept nogil:
    """When the present stage, a stream, a head or the time between, has lasted too long."""
    cdef const DownstreamC* downstream = downstream_of(connection)
    cdef int64_t begun_ms = connection.last_active_ms
    cdef int64_t timeout_ms = connection.chain.http.settings.idle_timeout_ms
    if downstream.stream != NULL:
        timeout_ms = downstream.stream.http.settings.stream_idle_timeout_ms
    elif downstream.head_begun_ms and connection.chain.http.settings.request_headers_timeout_ms:
        begun_ms = downstream.head_begun_ms
        timeout_ms = connection.chain.http.settings.request_headers_timeout_ms
    return begun_ms + timeout_ms if timeout_ms else NEVER_MS


cdef void downstream_on_deadline(void* owner) noexcept nogil:
    """Something may have lasted too long; activity only notes the time, so look."""
    cdef ConnectionC* connection = <ConnectionC*>owner
    cdef DownstreamC* downstream = downstream_of(connection)
    cdef int64_t now_ms = connection.table.core.reactor.now_ms
    cdef int64_t most_ms = connection.listener.max_duration_ms
    downstream.timer_ms = 0
    if stage_deadline(connection) <= now_ms:
        late(connection, downstream)
    elif most_ms and not downstream.last and now_ms - connection.opened_ms >= most_ms:
        connection.listener.stats[connection.table.core.index][LISTENER_MAX_DURATION] += 1
        downstream.last = True
        if downstream.stream != NULL:
            downstream.stream.flags |= STREAM_LAST
        elif not downstream.input.size:
            finish(connection)
            return
        downstream_arm(connection)
    else:
        downstream_arm(connection)


cdef void late(ConnectionC* connection, DownstreamC* downstream) noexcept nogil:
    cdef uint64_t* stats = connection.listener.stats[connection.table.core.index]
    if downstream.stream != NULL:
        stats[LISTENER_RQ_IDLE_TIMEOUT] += 1
        downstream.stream.flags |= STREAM_LAST
        if awaits_answer(downstream.stream):
            endpoint_failed_request(downstream.stream, REQUEST_TIMEOUT)
        # Whose fault it is shows in whether the request is whole (Envoy's statuses).
        stream_reply_status(
            downstream.stream, 504 if downstream.stream.request_body.ended else 408, FLAG_STREAM_IDLE_TIMEOUT,
            DETAIL_STREAM_IDLE_TIMEOUT)
        downstream_continue(connection)
    elif downstream.head_begun_ms:
        stats[LISTENER_RQ_HEADER_TIMEOUT] += 1
        request_late(connection)
        downstream_continue(connection)
    elif connection.downstream.queue.size or connection.downstream.pipe != NULL:
        stats[LISTENER_IDLE_TIMEOUT] += 1
        connection_abort(connection, FLAG_STREAM_IDLE_TIMEOUT, DETAIL_STREAM_IDLE_TIMEOUT)
    else:
        stats[LISTENER_IDLE_TIMEOUT] += 1
        finish(connection)


cdef bint awaits_answer(const StreamC* stream) noexcept nogil:
    """Whether its silence is that of its endpoint."""
    return stream.request_body.ended and (stream.flags & (STREAM_SENT | STREAM_RESPONDED)) == STREAM_SENT
