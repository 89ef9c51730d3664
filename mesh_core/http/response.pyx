"""A response on its way downstream; the contract stands in response.pxd."""

from libc.stdint cimport int64_t, uint8_t, uint32_t, uint64_t
from libc.string cimport memset
from mesh_core.http.attempts cimport ATTEMPT_CLOSED, ATTEMPT_MALFORMED, ATTEMPT_RESET, attempts_answered
from mesh_core.http.body cimport BODY_TOO_LARGE, body_begin, body_end_write, body_source_ended
from mesh_core.http.ending cimport stream_complete, stream_cut
from mesh_core.http.input cimport INPUT_NO_MEMORY, input_clear, input_head, input_rest
from mesh_core.http.local_reply cimport stream_reply_status
from mesh_core.http.passing cimport PassageC, is_plain, pass_body, pass_plain
from mesh_core.http.replay cimport replay_drop
from mesh_core.http.response_head cimport interim_head_write, response_head_write
from mesh_core.http.results cimport (
    REQUEST_MALFORMED, REQUEST_RESET, endpoint_answered, endpoint_failed_request, endpoint_heed_answer,
)
from mesh_core.http.retry cimport attempt_failed, retry_answered
from mesh_core.http.retry_conditions cimport retry_fits, retry_wants
from mesh_core.http.stream cimport (
    STREAM_CLIENT_LAST, STREAM_RESPONDED, STREAM_UPGRADE, FailureC, HttpClientC, HttpWorkerC,
)
from mesh_core.http.stream_record cimport stream_note_response
from mesh_core.http.tunnel cimport tunnel_begin, tunnel_is_asked_for
from mesh_core.http1.errors cimport (
    HTTP1_HEAD_TOO_LARGE, HTTP1_OK, HTTP1_START_LINE_TOO_LONG, HTTP1_TOO_MANY_FIELDS, HTTP1_UNEXPECTED_UPGRADE,
)
from mesh_core.http1.framing cimport BODY_LENGTH, BODY_TUNNEL, FramingC, response_framing
from mesh_core.http1.head cimport HEAD_INCOMPLETE, HEAD_RESPONSE, HeadC
from mesh_core.http1.keep_alive cimport keep_alive_timeout
from mesh_core.http1.method cimport METHOD_CONNECT, METHOD_HEAD
from mesh_core.http1.serialize cimport OutputC
from mesh_core.includes.likely cimport unlikely
from mesh_core.relay.relay cimport (
    RELAY_BLOCKED, RELAY_ENDED, RELAY_NO_MEMORY, RELAY_SINK_FAILED, RELAY_TRUNCATED, RELAY_WAITING, RELAY_YIELDED,
)
from mesh_core.relay.side cimport SIDE_BLOCKED, SideC
from mesh_core.relay.transport cimport side_receive, side_send
from mesh_core.runtime.clock cimport monotonic_us
from mesh_core.runtime.reactor cimport reactor_queue_task
from mesh_core.telemetry.response_flags cimport (
    DETAIL_DOWNSTREAM_CLOSED_IN_RESPONSE, DETAIL_OUT_OF_MEMORY, DETAIL_RESPONSE_BODY_TOO_LARGE,
    DETAIL_RESPONSE_HEADERS_TOO_LARGE, DETAIL_RESPONSE_MALFORMED, DETAIL_UPSTREAM_CLOSED_BEFORE_RESPONSE,
    DETAIL_UPSTREAM_CLOSED_IN_RESPONSE, FLAG_DOWNSTREAM_CONNECTION_TERMINATION, FLAG_OVERLOAD,
    FLAG_UPSTREAM_CONNECTION_TERMINATION, FLAG_UPSTREAM_PROTOCOL_ERROR,
)
from mesh_core.telemetry.stats cimport (
    CLUSTER_CX_PROTOCOL_ERROR, CLUSTER_RQ_RX_RESET, LISTENER_CX_RESET, LISTENER_RS_TOO_LARGE, SERVER_MEMORY_EXHAUSTED,
)
from mesh_core.upstream.idle_timeout cimport idle_timeout_announced
from mesh_core.upstream.pick cimport cluster_observe

cdef enum:
    PASS_ROUNDS = 4            # receives in one event


cdef PassageC passage_of(StreamC* stream) noexcept nogil:
    cdef PassageC passage
    memset(&passage, 0, sizeof(PassageC))
    passage.worker = stream.worker
    passage.body = &stream.response_body
    passage.input = &stream.client.input
    passage.limits = &stream.cluster.http.limits
    passage.sink = &stream.connection.downstream
    return passage


cdef void response_continue(StreamC* stream) noexcept nogil:
    cdef HttpClientC* client = stream.client
    cdef SideC* source = &client.upstream.side
    cdef SideC* sink = &stream.connection.downstream
    cdef PassageC passage
    cdef uint32_t limit = stream.connection.listener.buffer_limit
    cdef const uint8_t* data
    cdef size_t size
    cdef int status
    cdef int _round
    for _round in range(PASS_ROUNDS):
        if unlikely(sink.flags & SIDE_BLOCKED):
            return
        size = 0
        if stream.flags & STREAM_RESPONDED:
            passage = passage_of(stream)
        if stream.flags & STREAM_RESPONDED and is_plain(&passage, source):
            status = pass_plain(&passage, source, limit)
        else:
            status = side_receive(stream.worker.core, source, limit, &data, &size)
            if status == RELAY_WAITING and not size:
                return
            if size:
                if not take(stream, data, size):
                    return
                continue
        if stream.response_body.ended and stream.flags & STREAM_RESPONDED and status <= RELAY_BLOCKED:
            complete(stream, monotonic_us())
            return
        if status != RELAY_YIELDED:
            moved(stream, status)
            return
    reactor_queue_task(&stream.worker.core.reactor, &client.task)


cdef void complete(StreamC* stream, int64_t now_us) noexcept nogil:
    stream.record.bytes_sent = stream.response_body.bytes
    stream.record.responded_end_us = stream.record.ended_us = now_us
    stream_complete(stream)


# --- what has come ---

cdef bint take(StreamC* stream, const uint8_t* data, size_t size) noexcept nogil:
    """Pass on what these bytes are; False when that was the stream's end, or it is a tunnel now."""
    cdef HttpClientC* client = stream.client
    cdef PassageC passage
    cdef FramingC framing
    cdef HeadC* head
    cdef int64_t head_bytes = 0
    cdef int verdict
    while not stream.flags & STREAM_RESPONDED:
        verdict = input_head(
            &client.input, HEAD_RESPONSE, &stream.cluster.http.limits, stream.worker.fields, &stream.worker.head,
            &data, &size, &head)
        if unlikely(verdict == HEAD_INCOMPLETE):
            return True
        if verdict > 0:
            verdict = response_framing(
                head, data, stream.method_id,
                stream.flags & STREAM_UPGRADE != 0 and stream.method_id != METHOD_CONNECT, &framing)
        if verdict == HTTP1_OK and unlikely(framing.has_upgrade) and not (
                stream.request_body.ended and tunnel_is_asked_for(stream, data, &framing)):
            # Also before the request is whole: what is still to come of it would go as the other protocol's.
            verdict = HTTP1_UNEXPECTED_UPGRADE
        if unlikely(verdict < 0):
            failed(stream, verdict)
            return False
        if not unlikely(framing.is_interim):
            if stream.cluster.health_checked:
                endpoint_heed_answer(stream, head, data)
            if unlikely(retry_wants(stream, head, data)) and retry_answered(
                    stream, head, data, &framing, size - head.bytes):
                return False
            head_bytes = begin(stream, head, data, &framing)
            if unlikely(head_bytes < 0):
                failed(stream, <int>head_bytes)
                return False
        elif not pass_interim(stream, head, data):
            return False
        data += head.bytes
        size -= head.bytes
        if unlikely(framing.is_interim):
            # The next head is read as if it had come by itself.
            if client.input.size:
                input_rest(&client.input, data, size)
                size = 0
            if not size and not client.input.size:
                return True
        elif unlikely(framing.body == BODY_TUNNEL):
            tunnel_begin(stream, head_bytes, data, size)
            return False
    passage = passage_of(stream)
    verdict = pass_body(&passage, head_bytes, &data, &size)
    if unlikely(verdict < 0) and head_bytes and not passage.begun:
        # The head has not gone yet.
        stream.flags &= ~<uint32_t>STREAM_RESPONDED
    # A response that came in one piece has one time.
    return settle(stream, verdict, data, size, stream.record.responded_us if head_bytes else 0)


cdef int64_t begin(StreamC* stream, HeadC* head, const uint8_t* data, const FramingC* framing) noexcept nogil:
    """Write the final head to the worker's message buffer; its size, or an Http1Error, or BODY_TOO_LARGE."""
    cdef OutputC output
    cdef int64_t now_us = monotonic_us()
    cdef int64_t written
    cdef uint64_t most = stream.route.body_limits.response_bytes if stream.route.body_limits != NULL else 0
    if most and framing.body == BODY_LENGTH and framing.length > most:
        endpoint_answered(stream, head.status)
        return BODY_TOO_LARGE
    stream.record.responded_us = now_us
    cluster_observe(
        stream.cluster, stream.endpoint, now_us - stream.record.upstream_sent_us, stream.worker.core.reactor.now_ms)
    stream_note_response(stream, head, data)
    if unlikely(not framing.keep_alive or (stream.method_id == METHOD_HEAD and framing.length)):
        # There are servers that send HEAD a body all the same, a moment behind the head: it would be the next answer.
        stream.flags |= STREAM_CLIENT_LAST
    written = response_head_write(stream, head, data, framing, &output)
    if unlikely(written < 0):
        return written
    body_begin(&stream.response_body, framing.body, framing.length, output.body)
    stream.response_body.most = most
    endpoint_answered(stream, head.status)
    if framing.keep_alive and stream.cluster.http.learns_idle_timeouts:
        learn(stream, keep_alive_timeout(head, data))
    stream.flags |= STREAM_RESPONDED
    replay_drop(&stream.replay)
    if unlikely(stream.attempts != NULL):
        attempts_answered(stream, not retry_fits(stream.retry, head, data))
    stream.record.status = head.status
    stream.record.header_bytes_sent = written
    stream.record.sent_us = now_us
    return written


cdef void learn(StreamC* stream, int64_t idle_timeout_ms) noexcept nogil:
    if idle_timeout_ms > 0:
        idle_timeout_announced(stream.endpoint.state, idle_timeout_ms)


cdef bint pass_interim(StreamC* stream, HeadC* head, const uint8_t* data) noexcept nogil:
    """Pass a 1xx on to who can know of it (RFC 9110, section 15.2); False when that was the stream's end."""
    cdef int64_t written
    cdef int status
    if not stream.minor_version:
        return True
    written = interim_head_write(stream, head, data)
    if written < 0:
        failed(stream, <int>written)
        return False
    status = side_send(stream.worker.core, &stream.connection.downstream, stream.worker.message, written)
    if status > RELAY_BLOCKED:
        moved(stream, status)
        return False
    return True


cdef bint settle(StreamC* stream, int status, const uint8_t* data, size_t size, int64_t now_us) noexcept nogil:
    """Act on what pass_body said; False when that was the stream's end. `now_us` 0: the clock is to be looked at."""
    cdef HttpClientC* client = stream.client
    stream.record.bytes_sent = stream.response_body.bytes
    if unlikely(status < 0):
        failed(stream, status)
        return False
    if unlikely(status > RELAY_BLOCKED):
        moved(stream, status)
        return False
    if stream.response_body.ended:
        if unlikely(size > 0):
            # Nobody asked for that, and nobody may get it.
            stream.flags |= STREAM_CLIENT_LAST
        if unlikely(client.input.data != NULL):
            input_clear(&client.input)
        complete(stream, now_us if now_us else monotonic_us())
        return False
    if client.input.size and not stream.response_body.in_trailers:
        input_clear(&client.input)
    return True


# --- what has failed ---

cdef void failed(StreamC* stream, int error) noexcept nogil:
    """The upstream sent what is no valid response, or too much, or memory is exhausted."""
    cdef bint too_large = (
        error == HTTP1_HEAD_TOO_LARGE or error == HTTP1_START_LINE_TOO_LONG or error == HTTP1_TOO_MANY_FIELDS)
    if error == INPUT_NO_MEMORY:
        stream.worker.core.stats[SERVER_MEMORY_EXHAUSTED] += 1
        stream_reply_status(stream, 503, FLAG_OVERLOAD, DETAIL_OUT_OF_MEMORY)
        return
    if error == BODY_TOO_LARGE:
        stream.connection.listener.stats[stream.worker.core.index][LISTENER_RS_TOO_LARGE] += 1
        stream_reply_status(stream, 502, FLAG_UPSTREAM_PROTOCOL_ERROR, DETAIL_RESPONSE_BODY_TOO_LARGE)
        return
    stream.cluster.stats[stream.worker.core.index][CLUSTER_CX_PROTOCOL_ERROR] += 1
    endpoint_failed_request(stream, REQUEST_MALFORMED)
    attempt_failed(stream, FailureC(
        ATTEMPT_MALFORMED, 502, DETAIL_RESPONSE_HEADERS_TOO_LARGE if too_large else DETAIL_RESPONSE_MALFORMED, 0,
        <short>error, FLAG_UPSTREAM_PROTOCOL_ERROR, NULL))


cdef void moved(StreamC* stream, int status) noexcept nogil:
    """Act on a RelayStatus that is no wish for more."""
    if status <= RELAY_BLOCKED:
        return
    if status == RELAY_SINK_FAILED:
        stream.connection.listener.stats[stream.worker.core.index][LISTENER_CX_RESET] += 1
        stream_cut(stream, FLAG_DOWNSTREAM_CONNECTION_TERMINATION, DETAIL_DOWNSTREAM_CLOSED_IN_RESPONSE)
    elif status == RELAY_NO_MEMORY:
        failed(stream, INPUT_NO_MEMORY)
    else:
        source_ended(stream, status)


cdef void source_ended(StreamC* stream, int status) noexcept nogil:
    """The upstream has ended its connection, or it was reset."""
    cdef HttpWorkerC* worker = stream.worker
    cdef size_t size
    if not stream.flags & STREAM_RESPONDED:
        stream.cluster.stats[worker.core.index][CLUSTER_RQ_RX_RESET] += 1
        endpoint_failed_request(stream, REQUEST_RESET)
        attempt_failed(stream, FailureC(
            ATTEMPT_CLOSED if status == RELAY_ENDED or status == RELAY_TRUNCATED else ATTEMPT_RESET, 503,
            DETAIL_UPSTREAM_CLOSED_BEFORE_RESPONSE, 0, 0, FLAG_UPSTREAM_CONNECTION_TERMINATION, NULL))
        return
    if status != RELAY_ENDED or not body_source_ended(&stream.response_body):
        stream.cluster.stats[worker.core.index][CLUSTER_RQ_RX_RESET] += 1
        endpoint_failed_request(stream, REQUEST_RESET)
        stream_cut(stream, FLAG_UPSTREAM_CONNECTION_TERMINATION, DETAIL_UPSTREAM_CLOSED_IN_RESPONSE)
        return
    stream.flags |= STREAM_CLIENT_LAST
    size = body_end_write(&stream.response_body, worker.message)
    if size:
        status = side_send(worker.core, &stream.connection.downstream, worker.message, size)
        if status > RELAY_BLOCKED:
            moved(stream, status)
            return
    complete(stream, monotonic_us())
