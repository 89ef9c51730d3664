"""A request on its way upstream; the contract stands in request.pxd."""

from libc.stdint cimport int64_t, uint32_t
from mesh_core.http.body cimport BODY_TOO_LARGE, body_begin
from mesh_core.http.copies cimport copies_begin, copies_choose
from mesh_core.http.ending cimport stream_cut
from mesh_core.http.input cimport input_rest
from mesh_core.http.local_reply cimport stream_reply_status
from mesh_core.http.overload cimport overload_admits
from mesh_core.http.passing cimport PassageC, is_plain, pass_body, pass_plain
from mesh_core.http.policies cimport POLICY_DELAYED, POLICY_GO_ON, has_policies, policies_ask, policies_ask_delayed
from mesh_core.http.pool cimport client_begin, client_open, client_take_idle
from mesh_core.http.refusal cimport request_refuse_begun, stream_begin
from mesh_core.http.replay cimport replay_keep
from mesh_core.http.request_head cimport request_head_write
from mesh_core.http.request_route cimport request_find_route, request_look, request_route, request_too_large
from mesh_core.http.retry cimport retry_prepare
from mesh_core.http.stream cimport (
    STREAM_ASKED_UPGRADE, STREAM_LAST, STREAM_SENT, STREAM_UPGRADE, STREAM_UPSTREAM_SLOW, DownstreamC, HttpClientC,
    downstream_of,
)
from mesh_core.http.stream_record cimport stream_note_request
from mesh_core.http.tracing cimport trace_begin
from mesh_core.http.waiting cimport waiting_admit, waiting_leave
from mesh_core.http1.errors cimport HTTP1_OK
from mesh_core.http1.framing cimport FramingC, request_framing
from mesh_core.http1.head cimport HEAD_COMPLETE, HEAD_REQUEST, head_begin, head_parse
from mesh_core.http1.method cimport METHOD_CONNECT
from mesh_core.includes.atomic cimport load_relaxed_u32
from mesh_core.includes.likely cimport unlikely
from mesh_core.relay.connection cimport connection_out_of_memory
from mesh_core.relay.relay cimport (
    RELAY_BLOCKED, RELAY_ENDED, RELAY_NO_MEMORY, RELAY_SINK_FAILED, RELAY_WAITING, RELAY_YIELDED,
)
from mesh_core.relay.side cimport SIDE_BLOCKED, SIDE_READABLE, SIDE_UNTIL_EMPTY, SideC
from mesh_core.relay.transport cimport side_receive, side_send
from mesh_core.routing.request_view cimport RequestViewC
from mesh_core.runtime.clock cimport monotonic_us
from mesh_core.runtime.reactor cimport reactor_queue_task
from mesh_core.telemetry.access_record cimport PROTOCOL_HTTP_1_0, PROTOCOL_HTTP_1_1
from mesh_core.telemetry.response_flags cimport (
    DETAIL_DOWNSTREAM_CLOSED_IN_REQUEST, DETAIL_OUT_OF_MEMORY, DETAIL_PENDING_REQUEST_OVERFLOW,
    DETAIL_REQUEST_HEADERS_TOO_LARGE, FLAG_DOWNSTREAM_CONNECTION_TERMINATION, FLAG_DOWNSTREAM_PROTOCOL_ERROR,
    FLAG_OVERLOAD, FLAG_UPSTREAM_OVERFLOW,
)
from mesh_core.telemetry.stats cimport SERVER_MEMORY_EXHAUSTED

cdef enum:
    PASS_ROUNDS = 4            # receives in one event


cdef void request_begin(ConnectionC* connection, HeadC* head, const uint8_t* data, size_t size) noexcept nogil:
    cdef StreamC* stream = stream_begin(connection)
    cdef FramingC framing
    cdef RequestViewC view
    cdef uint32_t received_bytes = head.bytes
    cdef bint upgrades
    cdef int verdict, error
    if unlikely(stream == NULL):
        return
    error = request_framing(head, data, &framing)
    if unlikely(error != HTTP1_OK):
        request_refuse_begun(stream, error)
        return
    body_begin(&stream.request_body, framing.body, framing.length, framing.body)
    stream.method_id = head.method_id
    stream.minor_version = head.minor_version
    stream.record.header_bytes_received = head.bytes
    stream.record.protocol = PROTOCOL_HTTP_1_1 if head.minor_version else PROTOCOL_HTTP_1_0
    if not framing.keep_alive:
        stream.flags |= STREAM_LAST
    if unlikely(framing.has_upgrade or head.method_id == METHOD_CONNECT):
        stream.flags |= STREAM_ASKED_UPGRADE
    stream_note_request(stream, head, data, &framing)
    if stream.http.settings.tracing != NULL:
        trace_begin(stream, head, data)
    upgrades = stream.flags & STREAM_ASKED_UPGRADE != 0
    if unlikely(not request_look(stream, head, data, &framing, &view) or not request_find_route(stream, &view) or (
            load_relaxed_u32(stream.snapshot.overload) and not overload_admits(stream))):
        keep_rest(connection, upgrades, data + received_bytes, size - received_bytes)
        return
    verdict = policies_ask(stream, head, data, &view) if has_policies(stream) else <int>POLICY_GO_ON
    if verdict == POLICY_GO_ON:
        forward(stream, head, &framing, &view, data + received_bytes, size - received_bytes)
    elif verdict == POLICY_DELAYED:
        delay(stream, data + received_bytes, size - received_bytes)
    else:
        keep_rest(connection, upgrades, data + received_bytes, size - received_bytes)


cdef void forward(
    StreamC* stream, HeadC* head, const FramingC* framing, const RequestViewC* view, const uint8_t* rest, size_t size
) noexcept nogil:
    """Do what its route says with a request; `rest` is what came behind its head."""
    cdef ConnectionC* connection = stream.connection
    cdef bint upgrades = stream.flags & STREAM_ASKED_UPGRADE != 0
    cdef int64_t head_bytes
    if unlikely(not request_route(stream, head, framing, view)):
        keep_rest(connection, upgrades, rest, size)
        return
    retry_prepare(stream, head, view.data)
    head_bytes = request_head_write(stream, head, framing, view)
    if unlikely(head_bytes < 0):
        stream.flags |= STREAM_LAST
        downstream_of(connection).unread = True
        stream_reply_status(stream, 431, FLAG_DOWNSTREAM_PROTOCOL_ERROR, DETAIL_REQUEST_HEADERS_TOO_LARGE)
        return
    if unlikely(stream.route.mirrors != NULL):
        copies_choose(stream, head_bytes)
    send_head(stream, head_bytes, rest, size)


cdef void delay(StreamC* stream, const uint8_t* rest, size_t size) noexcept nogil:
    """Let it wait, as its policies say; what came behind its head is kept, and no more is read."""
    stream.wake_fn = on_delay_over
    if not input_rest(&downstream_of(stream.connection).input, rest, size):
        out_of_memory(stream)


cdef void on_delay_over(void* owner) noexcept nogil:
    """Its head is read once more, with the verdicts that it had; what routes and upstreams see has not changed."""
    cdef StreamC* stream = <StreamC*>owner
    cdef ConnectionC* connection = stream.connection
    cdef DownstreamC* downstream = downstream_of(connection)
    cdef bint upgrades = stream.flags & STREAM_ASKED_UPGRADE != 0
    cdef HeadC* head = &stream.worker.head
    cdef const uint8_t* data = stream.policy.head
    cdef FramingC framing
    cdef RequestViewC view
    head_begin(head, HEAD_REQUEST, stream.worker.fields)
    if head_parse(head, data, stream.policy.head_bytes, &stream.http.settings.limits) == HEAD_COMPLETE and (
            request_framing(head, data, &framing) == HTTP1_OK
            and request_look(stream, head, data, &framing, &view)
            and policies_ask_delayed(stream, &view) == POLICY_GO_ON):
        forward(stream, head, &framing, &view, downstream.input.data, downstream.input.size)
    elif connection.protocol_state == downstream:
        keep_rest(connection, upgrades, downstream.input.data, downstream.input.size)


cdef void keep_rest(ConnectionC* connection, bint upgrades, const uint8_t* data, size_t size) noexcept nogil:
    """Of a request that the proxy has answered itself: if it had no body, the next one may stand behind it."""
    cdef DownstreamC* downstream = downstream_of(connection)
    if connection.protocol_state != NULL and not downstream.closing:
        downstream.refused = downstream.refused or (upgrades and size > 0)
        if not input_rest(&downstream.input, data, size):
            connection_out_of_memory(connection)


# --- how it gets there ---

cdef PassageC passage_of(StreamC* stream) noexcept nogil:
    cdef PassageC passage
    passage.worker = stream.worker
    passage.body = &stream.request_body
    passage.input = &downstream_of(stream.connection).input
    passage.limits = &stream.http.settings.limits
    passage.sink = &stream.client.upstream.side if stream.flags & STREAM_SENT else NULL
    passage.replay = &stream.replay
    if stream.flags & STREAM_SENT and (stream.replay.lost or not stream.replay.limit):
        passage.replay = NULL
    passage.begun = passage.sink_failed = False
    passage.mirroring = stream.mirroring if stream.mirroring != NULL and not stream.mirroring.lost else NULL
    return passage


cdef void send_head(StreamC* stream, int64_t head_bytes, const uint8_t* data, size_t size) noexcept nogil:
    """Send the head that stands in the worker's message buffer, and what has come of the body; or hold them."""
    cdef PassageC passage
    cdef bint idle = client_take_idle(stream)
    cdef int status
    if idle:
        stream.flags |= STREAM_SENT
        stream.record.upstream_sent_us = stream.record.received_us if stream.policy == NULL else monotonic_us()
    stream.record.attempts = 1
    if stream.retry.max_attempts > 1 and not stream.flags & STREAM_UPGRADE:
        stream.replay.limit = head_bytes + stream.retry.max_body_bytes
    passage = passage_of(stream)
    status = pass_body(&passage, head_bytes, &data, &size)
    if unlikely(not settle(stream, status, data, size)):
        return
    # An upstream that is opened may answer, or fail, at once: that comes last.
    if idle:
        if not stream.request_body.ended:
            # There may be more of it, of which no event will tell.
            request_continue(stream)
    elif waiting_admit(stream):
        client_open(stream)
    else:
        stream_reply_status(stream, 503, FLAG_UPSTREAM_OVERFLOW, DETAIL_PENDING_REQUEST_OVERFLOW)


cdef bint settle(StreamC* stream, int status, const uint8_t* data, size_t size) noexcept nogil:
    """Act on what pass_body said, and keep what is left; False when that was the stream's end."""
    cdef DownstreamC* downstream = downstream_of(stream.connection)
    stream.record.bytes_received = stream.request_body.bytes
    if unlikely(status == BODY_TOO_LARGE):
        request_too_large(stream)
        return False
    if unlikely(stream.mirroring != NULL) and (stream.request_body.ended or stream.mirroring.lost):
        copies_begin(stream)
    if unlikely(status < 0):
        request_refuse_begun(stream, status)
        return False
    if unlikely(status == RELAY_NO_MEMORY):
        out_of_memory(stream)
        return False
    if unlikely(status == RELAY_SINK_FAILED):
        client_look(stream.client)
    if stream.request_body.in_trailers and not stream.request_body.ended:
        return True
    if (size or downstream.input.size) and not input_rest(&downstream.input, data, size):
        out_of_memory(stream)
        return False
    return True


cdef void out_of_memory(StreamC* stream) noexcept nogil:
    stream.worker.core.stats[SERVER_MEMORY_EXHAUSTED] += 1
    stream_reply_status(stream, 503, FLAG_OVERLOAD, DETAIL_OUT_OF_MEMORY)


cdef void client_look(HttpClientC* client) noexcept nogil:
    """It takes no more; why, or what it has answered, is to be read from it."""
    client.sink_failed = True
    client.upstream.side.flags |= SIDE_READABLE | SIDE_UNTIL_EMPTY | SIDE_BLOCKED
    reactor_queue_task(&client.worker.core.reactor, &client.task)


cdef bint request_send_held(StreamC* stream) noexcept nogil:
    cdef int status
    stream.flags |= STREAM_SENT
    waiting_leave(stream)
    stream.record.upstream_sent_us = monotonic_us()
    client_begin(stream.client)
    status = side_send(
        stream.worker.core, &stream.client.upstream.side, stream.replay.data, stream.replay.size)
    replay_keep(&stream.replay)
    if status == RELAY_NO_MEMORY:
        out_of_memory(stream)
        return False
    if status == RELAY_SINK_FAILED:
        client_look(stream.client)
    return True


cdef void request_continue(StreamC* stream) noexcept nogil:
    cdef SideC* source = &stream.connection.downstream
    cdef PassageC passage
    cdef const uint8_t* data
    cdef size_t size
    cdef int status
    cdef int _round
    if stream.request_body.ended or not stream.flags & STREAM_SENT:
        return
    passage = passage_of(stream)
    for _round in range(PASS_ROUNDS):
        if stream.request_body.ended:
            return
        if passage.sink.flags & SIDE_BLOCKED:
            stream.flags |= STREAM_UPSTREAM_SLOW
            return
        if is_plain(&passage, source):
            status = pass_plain(&passage, source, stream.connection.listener.buffer_limit)
            data = NULL
            size = 0
        else:
            status = side_receive(
                stream.worker.core, source, stream.connection.listener.buffer_limit, &data, &size)
            if status == RELAY_WAITING and not size:
                return
            if size:
                status = pass_body(&passage, 0, &data, &size)
                if not settle(stream, status, data, size):
                    return
                # It is gone once it was too long.
                passage.mirroring = stream.mirroring
                continue
        stream.record.bytes_received = stream.request_body.bytes
        if status != RELAY_YIELDED:
            moved(stream, status)
            return
    reactor_queue_task(&stream.worker.core.reactor, &stream.client.task)


cdef void moved(StreamC* stream, int status) noexcept nogil:
    """Act on a RelayStatus that ends the moving for now."""
    if status == RELAY_BLOCKED:
        stream.flags |= STREAM_UPSTREAM_SLOW
    if status <= RELAY_BLOCKED or (status == RELAY_ENDED and stream.request_body.ended):
        return
    if status == RELAY_SINK_FAILED:
        client_look(stream.client)
    elif status == RELAY_NO_MEMORY:
        out_of_memory(stream)
    else:
        stream_cut(stream, FLAG_DOWNSTREAM_CONNECTION_TERMINATION, DETAIL_DOWNSTREAM_CLOSED_IN_REQUEST)
