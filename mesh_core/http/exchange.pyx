"""Where events of HTTP connections come in; the contract stands in exchange.pxd."""

from libc.stdint cimport uint16_t, uint32_t
from mesh_core.http.attempts cimport ATTEMPT_NOT_SENT
from mesh_core.http.deadlines cimport deadlines_arm
from mesh_core.http.copies cimport copies_init
from mesh_core.http.downstream cimport downstream_continue
from mesh_core.http.ending cimport stream_drop
from mesh_core.http.input cimport input_clear
from mesh_core.http.late cimport late_on_timer
from mesh_core.http.local_reply cimport stream_reply_status
from mesh_core.http.pool cimport client_close, client_make_room, client_open, client_take_idle
from mesh_core.http.request cimport request_continue, request_send_held
from mesh_core.http.response cimport response_continue
from mesh_core.http.results cimport REQUEST_MALFORMED, endpoint_failed_request
from mesh_core.http.retry cimport attempt_failed, retry_begin
from mesh_core.http.stream cimport (
    STREAM_SENT, DownstreamC, FailureC, HttpClientC, StreamC, downstream_of, stream_at_endpoint,
)
from mesh_core.http.waiting cimport waiting_admit, waiting_join, waiting_wake
from mesh_core.includes.likely cimport unlikely
from mesh_core.includes.socket cimport MSG_PEEK, recv
from mesh_core.includes.prefetch cimport prefetch_lines
from mesh_core.net.address cimport PeerAddressC, address_is_wildcard
from mesh_core.net.sockets cimport socket_local_address
from mesh_core.relay.connection cimport connection_abort, connection_out_of_memory, connection_watch
from mesh_core.relay.relay cimport RELAY_SINK_FAILED, RelayStatus
from mesh_core.relay.side cimport SIDE_ENDED, SIDE_READABLE, SideC
from mesh_core.relay.transport cimport side_event, side_flush, side_has_input
from mesh_core.runtime.memory cimport memory_alloc, memory_free
from mesh_core.runtime.reactor cimport reactor_cancel_timer
from mesh_core.telemetry.access_record cimport RequestRecordC
from mesh_core.telemetry.response_flags cimport (
    DETAIL_DOWNSTREAM_RESET, DETAIL_OUT_OF_MEMORY, DETAIL_PENDING_REQUEST_OVERFLOW, DETAIL_RESPONSE_MALFORMED,
    DETAIL_UPSTREAM_OVERFLOW, FLAG_DOWNSTREAM_CONNECTION_TERMINATION, FLAG_OVERLOAD,
    FLAG_UPSTREAM_CONNECTION_FAILURE, FLAG_UPSTREAM_OVERFLOW, FLAG_UPSTREAM_PROTOCOL_ERROR,
)
from mesh_core.telemetry.stats cimport CLUSTER_CX_PROTOCOL_ERROR, LISTENER_CX_RESET, SERVER_MEMORY_EXHAUSTED


cdef void exchange_init(HttpWorkerC* worker) noexcept nogil:
    worker.handlers.opened = on_client_opened
    worker.handlers.failed = on_client_failed
    worker.handlers.on_event = on_client
    worker.handlers.on_task = on_task
    worker.handlers.on_turn = on_turn
    worker.handlers.on_retry = on_retry
    worker.handlers.out_of_memory = on_no_client
    copies_init(worker)


cdef void exchange_begin(ConnectionC* connection) noexcept nogil:
    cdef bint watched = connection.downstream.source.on_event != NULL
    cdef DownstreamC* downstream = <DownstreamC*>memory_alloc(sizeof(DownstreamC))
    if downstream == NULL:
        connection_out_of_memory(connection)
        return
    downstream.worker = <HttpWorkerC*>connection.table.http
    note_local(connection, &downstream.local)
    connection.protocol_state = downstream
    connection.ending = on_ending
    connection.last_active_ms = connection.table.core.reactor.now_ms
    connection.downstream.source.owner = connection
    connection.downstream.source.on_event = on_downstream
    reactor_cancel_timer(&connection.table.core.reactor, &connection.timer)
    connection.timer.fire = late_on_timer
    connection.task.run = on_connection_task
    deadlines_arm(connection)
    if watched or connection_watch(connection, &connection.downstream):
        downstream_continue(connection)


cdef void note_local(const ConnectionC* connection, PeerAddressC* out) noexcept nogil:
    """The address that the connection was made to, once for all requests that tell it."""
    out[0] = connection.listener.local
    if connection.proxied_local.family:
        out[0] = connection.proxied_local
    elif connection.snapshot.access_log and address_is_wildcard(&connection.listener.local):
        socket_local_address(connection.downstream.source.fd, out)


cdef bint on_ending(ConnectionC* connection) noexcept nogil:
    cdef DownstreamC* downstream = downstream_of(connection)
    if downstream.stream != NULL:
        stream_drop(downstream.stream)
    input_clear(&downstream.input)
    memory_free(downstream)
    connection.protocol_state = NULL
    return False


cdef void on_downstream(void* owner, uint32_t events) noexcept nogil:
    cdef ConnectionC* connection = <ConnectionC*>owner
    cdef DownstreamC* downstream = downstream_of(connection)
    cdef StreamC* stream
    cdef RelayStatus status
    # While the kernel copies the request: of the stream that it will have.
    prefetch_lines(downstream.worker.spare, sizeof(StreamC))
    connection.last_active_ms = connection.table.core.reactor.now_ms
    if unlikely(side_event(&connection.downstream, events)):
        # It can neither send nor be sent to: what it said last is of no use to anybody.
        connection.listener.stats[connection.table.core.index][LISTENER_CX_RESET] += 1
        connection_abort(connection, FLAG_DOWNSTREAM_CONNECTION_TERMINATION, DETAIL_DOWNSTREAM_RESET)
        return
    if unlikely(connection.downstream.queue.size or connection.downstream.pipe != NULL):
        status = side_flush(connection.table.core, &connection.downstream)
        if status == RELAY_SINK_FAILED:
            connection_abort(connection, FLAG_DOWNSTREAM_CONNECTION_TERMINATION, DETAIL_DOWNSTREAM_RESET)
            return
    if downstream.stream != NULL:
        if not downstream.stream.request_body.ended:
            request_continue(downstream.stream)
            if connection.protocol_state != downstream:
                return
        # Until the request is sent, what its client reads belongs to the opening of that.
        stream = downstream.stream
        if stream != NULL and stream.flags & STREAM_SENT and stream.client != NULL and (
                has_news(&stream.client.upstream.side)):
            response_continue(stream)
    downstream_continue(connection)


cdef void on_connection_task(void* owner) noexcept nogil:
    downstream_continue(<ConnectionC*>owner)


# --- clients ---

cdef void on_client(void* owner, uint32_t events) noexcept nogil:
    cdef HttpClientC* client = <HttpClientC*>owner
    side_event(&client.upstream.side, events)
    go_on(client)


cdef void on_task(void* owner) noexcept nogil:
    go_on(<HttpClientC*>owner)


cdef void go_on(HttpClientC* client) noexcept nogil:
    """Move what can be moved, in both directions."""
    cdef StreamC* stream = client.stream
    cdef ConnectionC* connection
    if unlikely(stream == NULL):
        return
    connection = stream.connection
    # While the kernel copies the answer.
    prefetch_lines(&stream.request_body, <const char*>&stream.next_spare - <const char*>&stream.request_body)
    prefetch_lines(&stream.record, sizeof(RequestRecordC))
    prefetch_lines(&connection.snapshot, sizeof(void*))
    connection.last_active_ms = client.worker.core.reactor.now_ms
    if unlikely(client.upstream.side.queue.size or client.upstream.side.pipe != NULL):
        # A failure shows in what is received.
        if side_flush(client.worker.core, &client.upstream.side) == RELAY_SINK_FAILED:
            client.sink_failed = True
    if not stream.request_body.ended:
        request_continue(stream)
    # The client is closed, or carries another stream's request, once its own stream is over.
    if client.stream == stream and stream.connection == connection and has_news(&client.upstream.side):
        response_continue(stream)
    downstream_continue(connection)


cdef bint has_news(const SideC* side) noexcept nogil:
    """Whether there is input, or an end that was seen with the last of it and not acted on."""
    return side.flags & SIDE_ENDED != 0 or side_has_input(side)


cdef void on_client_opened(void* owner) noexcept nogil:
    cdef HttpClientC* client = <HttpClientC*>owner
    cdef StreamC* stream = client.stream
    cdef ConnectionC* connection = stream.connection
    client.upstream.side.source.on_event = on_client
    stream.record.connect_time_us = client.upstream.connect_time_us
    if stream.snapshot.access_log:
        socket_local_address(client.upstream.side.source.fd, &client.local)
    stream_at_endpoint(stream, client.upstream.endpoint)
    if has_spoken(&client.upstream.side):
        # What came before the request is no answer to it.
        client.upstream.cluster.stats[client.worker.core.index][CLUSTER_CX_PROTOCOL_ERROR] += 1
        endpoint_failed_request(stream, REQUEST_MALFORMED)
        attempt_failed(stream, FailureC(
            ATTEMPT_NOT_SENT, 502, DETAIL_RESPONSE_MALFORMED, 0, 0, FLAG_UPSTREAM_PROTOCOL_ERROR, NULL))
    elif request_send_held(stream):
        go_on(client)
        return
    downstream_continue(connection)


cdef bint has_spoken(const SideC* side) noexcept nogil:
    """Whether bytes wait in the clear; those of TLS may be no more than session tickets."""
    cdef char byte
    return side.tls == NULL and side.flags & SIDE_READABLE and recv(side.source.fd, &byte, 1, MSG_PEEK) > 0


cdef void on_client_failed(void* owner, uint32_t flags, uint16_t detail) noexcept nogil:
    cdef HttpClientC* client = <HttpClientC*>owner
    cdef StreamC* stream = client.stream
    cdef ConnectionC* connection = stream.connection
    if detail == DETAIL_UPSTREAM_OVERFLOW and wait(stream, client):
        return
    if flags & FLAG_UPSTREAM_CONNECTION_FAILURE:
        attempt_failed(stream, FailureC(ATTEMPT_NOT_SENT, 503, detail, 0, 0, flags, NULL))
    else:
        stream.record.error = client.upstream.error
        stream_reply_status(stream, 503, flags, detail)
    downstream_continue(connection)


cdef bint wait(StreamC* stream, HttpClientC* client) noexcept nogil:
    """The cluster has all the connections that it may have: use one of them, or its place; False when none is ours."""
    client.stream = NULL
    stream.client = NULL
    client_close(client, False)
    if client_make_room(stream):
        client_open(stream)
        return True
    if waiting_join(stream):
        return True
    # Nobody will call those who wait longer either.
    waiting_wake(stream.worker, stream.cluster.state, stream.priority, stream.endpoint.state)
    return False


cdef void on_turn(void* owner) noexcept nogil:
    """A stream that waited: a connection is free, or there is room for one; or somebody else was quicker."""
    cdef StreamC* stream = <StreamC*>owner
    cdef ConnectionC* connection = stream.connection
    if (stream.attempts == NULL or not stream.attempts.fresh) and client_take_idle(stream):
        if request_send_held(stream):
            go_on(stream.client)
            return
    elif waiting_admit(stream):
        client_open(stream)
    else:
        stream_reply_status(stream, 503, FLAG_UPSTREAM_OVERFLOW, DETAIL_PENDING_REQUEST_OVERFLOW)
    downstream_continue(connection)


cdef void on_retry(void* owner) noexcept nogil:
    cdef StreamC* stream = <StreamC*>owner
    cdef ConnectionC* connection = stream.connection
    if retry_begin(stream):
        on_turn(owner)
    else:
        downstream_continue(connection)


cdef void on_no_client(void* owner) noexcept nogil:
    cdef StreamC* stream = <StreamC*>owner
    stream.worker.core.stats[SERVER_MEMORY_EXHAUSTED] += 1
    stream_reply_status(stream, 503, FLAG_OVERLOAD, DETAIL_OUT_OF_MEMORY)
