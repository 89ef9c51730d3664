"""What is done when a time-out has passed; the contract stands in late.pxd."""

from libc.stdint cimport uint8_t, uint16_t, uint32_t, uint64_t
from mesh_core.http.body_rate cimport (
    BODY_RATE_REQUEST, BODY_RATE_RESPONSE, BodyRateVerdict, body_rate_look,
)
from mesh_core.http.deadlines cimport (
    DEADLINE_CONNECTION_DURATION, DEADLINE_RATE, DEADLINE_REQUEST, DEADLINE_REQUEST_HEAD, DEADLINE_ROUTE,
    DEADLINE_STREAM_DURATION, DEADLINE_STREAM_IDLE, DEADLINE_TRY, DEADLINE_WAKE, DeadlineC, deadlines_arm,
    deadlines_next,
)
from mesh_core.http.downstream cimport downstream_continue, downstream_retire
from mesh_core.http.local_reply cimport stream_reply_status
from mesh_core.http.refusal cimport request_late
from mesh_core.http.results cimport REQUEST_TIMEOUT, endpoint_failed_request
from mesh_core.http.retry cimport attempt_late
from mesh_core.http.stream cimport (
    STREAM_LAST, STREAM_RESPONDED, STREAM_SENT, DownstreamC, StreamC, downstream_of,
)
from mesh_core.includes.socket cimport MSG_PEEK, recv
from mesh_core.relay.connection cimport ConnectionC, connection_abort
from mesh_core.relay.side cimport SIDE_READABLE, SideC
from mesh_core.relay.transport cimport side_has_input
from mesh_core.runtime.reactor cimport task_fn
from mesh_core.telemetry.response_flags cimport (
    DETAIL_MAX_STREAM_DURATION, DETAIL_REQUEST_TIMEOUT, DETAIL_REQUEST_TOO_SLOW,
    DETAIL_RESPONSE_READ_TOO_SLOWLY, DETAIL_RESPONSE_TIMEOUT, DETAIL_STREAM_IDLE_TIMEOUT,
    FLAG_DOWNSTREAM_PROTOCOL_ERROR, FLAG_DURATION_TIMEOUT, FLAG_STREAM_IDLE_TIMEOUT, FLAG_UPSTREAM_REQUEST_TIMEOUT,
)
from mesh_core.telemetry.stats cimport (
    CLUSTER_RQ_PER_TRY_TIMEOUT, CLUSTER_RQ_TIMEOUT, LISTENER_IDLE_TIMEOUT, LISTENER_MAX_DURATION,
    LISTENER_RQ_HEADER_TIMEOUT, LISTENER_RQ_IDLE_TIMEOUT, LISTENER_RQ_MAX_DURATION, LISTENER_RQ_TIMEOUT,
    LISTENER_RQ_TOO_SLOW, LISTENER_RS_TOO_SLOW,
)


cdef void late_on_timer(void* owner) noexcept nogil:
    cdef ConnectionC* connection = <ConnectionC*>owner
    cdef DownstreamC* downstream = downstream_of(connection)
    cdef DeadlineC due = deadlines_next(connection)
    downstream.timer_ms = 0
    if due.at_ms > connection.table.core.reactor.now_ms:
        deadlines_arm(connection)
        return
    if due.kind == DEADLINE_CONNECTION_DURATION:
        connection_old(connection, downstream)
    elif due.kind == DEADLINE_RATE:
        look_at_rate(connection, downstream)
    elif downstream.stream == NULL:
        connection_late(connection, downstream, due.kind)
    else:
        stream_late(downstream.stream, due.kind)
    downstream_continue(connection)
    if downstream_of(connection) == downstream and not downstream.closing:
        deadlines_arm(connection)


cdef void connection_old(ConnectionC* connection, DownstreamC* downstream) noexcept nogil:
    """Its request, if there is one, is the last, unless its answer has begun without saying so."""
    connection.listener.stats[connection.table.core.index][LISTENER_MAX_DURATION] += 1
    downstream_retire(downstream)


cdef void look_at_rate(ConnectionC* connection, DownstreamC* downstream) noexcept nogil:
    cdef uint64_t* stats = connection.listener.stats[connection.table.core.index]
    cdef BodyRateVerdict verdict = body_rate_look(connection)
    if verdict == BODY_RATE_REQUEST:
        stats[LISTENER_RQ_TOO_SLOW] += 1
        stream_reply_status(downstream.stream, 408, FLAG_DOWNSTREAM_PROTOCOL_ERROR, DETAIL_REQUEST_TOO_SLOW)
    elif verdict == BODY_RATE_RESPONSE:
        stats[LISTENER_RS_TOO_SLOW] += 1
        connection_abort(connection, FLAG_DOWNSTREAM_PROTOCOL_ERROR, DETAIL_RESPONSE_READ_TOO_SLOWLY)


cdef void connection_late(ConnectionC* connection, DownstreamC* downstream, int kind) noexcept nogil:
    cdef uint64_t* stats = connection.listener.stats[connection.table.core.index]
    if kind == DEADLINE_REQUEST_HEAD:
        stats[LISTENER_RQ_HEADER_TIMEOUT] += 1
        request_late(connection)
        return
    if connection.downstream.queue.size or connection.downstream.pipe != NULL:
        stats[LISTENER_IDLE_TIMEOUT] += 1
        connection_abort(connection, FLAG_STREAM_IDLE_TIMEOUT, DETAIL_STREAM_IDLE_TIMEOUT)
    elif not has_said(&connection.downstream):
        stats[LISTENER_IDLE_TIMEOUT] += not downstream.last
        downstream.closing = True


cdef bint has_said(SideC* side) noexcept nogil:
    """Whether there is something to read after all, which no event has told of yet: a request is no silence."""
    cdef uint8_t byte
    if recv(side.source.fd, &byte, 1, MSG_PEEK) >= 0:
        side.flags |= SIDE_READABLE
    return side_has_input(side)


cdef void stream_late(StreamC* stream, int kind) noexcept nogil:
    cdef uint64_t* stats = stream.connection.listener.stats[stream.worker.core.index]
    cdef task_fn wake
    # Whose fault it is shows in whether the request is whole (Envoy's statuses).
    cdef uint16_t status = 504 if stream.request_body.ended else 408
    if kind != DEADLINE_WAKE and awaits_answer(stream):
        endpoint_failed_request(stream, REQUEST_TIMEOUT)
    if kind == DEADLINE_STREAM_IDLE:
        stats[LISTENER_RQ_IDLE_TIMEOUT] += 1
        stream.flags |= STREAM_LAST
        stream_reply_status(stream, status, FLAG_STREAM_IDLE_TIMEOUT, DETAIL_STREAM_IDLE_TIMEOUT)
    elif kind == DEADLINE_STREAM_DURATION:
        stats[LISTENER_RQ_MAX_DURATION] += 1
        stream_reply_status(stream, status, FLAG_DURATION_TIMEOUT, DETAIL_MAX_STREAM_DURATION)
    elif kind == DEADLINE_REQUEST:
        stats[LISTENER_RQ_TIMEOUT] += 1
        stream_reply_status(stream, 408, FLAG_DOWNSTREAM_PROTOCOL_ERROR, DETAIL_REQUEST_TIMEOUT)
    elif kind == DEADLINE_ROUTE:
        count_upstream(stream, CLUSTER_RQ_TIMEOUT)
        stream_reply_status(stream, 504, FLAG_UPSTREAM_REQUEST_TIMEOUT, DETAIL_RESPONSE_TIMEOUT)
    elif kind == DEADLINE_TRY:
        stream.try_deadline_ms = 0
        count_upstream(stream, CLUSTER_RQ_PER_TRY_TIMEOUT)
        attempt_late(stream)
    else:
        wake = stream.wake_fn
        stream.wake_at_ms = 0
        wake(stream)


cdef bint awaits_answer(const StreamC* stream) noexcept nogil:
    """Whether its silence is that of its endpoint."""
    return stream.request_body.ended and (stream.flags & (STREAM_SENT | STREAM_RESPONDED)) == STREAM_SENT


cdef void count_upstream(StreamC* stream, uint32_t stat) noexcept nogil:
    if stream.cluster != NULL:
        stream.cluster.stats[stream.worker.core.index][stat] += 1
