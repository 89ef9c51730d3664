"""Answers that the proxy gives itself; the contract stands in local_reply.pxd."""

from libc.stdint cimport int64_t, uint8_t
from libc.string cimport memcpy, memset, strlen
from libc.time cimport gmtime, strftime, time, time_t
from mesh_core.http.downstream_head cimport downstream_framing
from mesh_core.http.ending cimport stream_complete, stream_cut
from mesh_core.http.explain cimport EXPLAIN_BYTES, explain_attempt, explain_name, explain_write
from mesh_core.http.local_reply_rules cimport local_reply_find, local_reply_write
from mesh_core.http.policy_fields cimport POLICY_FIELDS_MOST, has_policy_fields, policy_fields_add
from mesh_core.http.stream cimport MESSAGE_BYTES, STREAM_CLIENT_LAST, STREAM_RESPONDED, HttpWorkerC
from mesh_core.http1.errors cimport http1_error_text
from mesh_core.http1.framing cimport BODY_LENGTH, BODY_NONE
from mesh_core.http1.head cimport HEAD_RESPONSE, HeadC, head_begin
from mesh_core.http1.method cimport METHOD_HEAD
from mesh_core.http1.serialize cimport AddedFieldC, OutputC, response_write
from mesh_core.relay.relay cimport RELAY_BLOCKED, RELAY_NO_MEMORY, RELAY_SINK_FAILED, RELAY_WAITING, RelayStatus
from mesh_core.relay.transport cimport side_send
from mesh_core.routing.header_edits cimport HEADER_ADDED_MOST, HEADER_EDITS_EACH, header_edits_apply
from mesh_core.snapshot.local_replies cimport LocalReplyC
from mesh_core.snapshot.tables cimport EndpointC
from mesh_core.telemetry.response_flags cimport (
    DETAIL_DIRECT_RESPONSE, DETAIL_DOWNSTREAM_RESET, DETAIL_OUT_OF_MEMORY, FLAG_DOWNSTREAM_CONNECTION_TERMINATION,
    FLAG_OVERLOAD, detail_text,
)

cdef enum:
    DATE_BYTES = 30
    OWN_FIELDS = 5 + HEADER_EDITS_EACH * 2 + POLICY_FIELDS_MOST


cdef void stream_reply_status(StreamC* stream, uint16_t status, uint32_t flags, uint16_t detail) noexcept nogil:
    cdef ReplyC reply
    memset(&reply, 0, sizeof(ReplyC))
    reply.status = status
    reply.flags = flags
    reply.detail = detail
    stream_reply(stream, &reply)


cdef void stream_reply(StreamC* stream, const ReplyC* reply) noexcept nogil:
    cdef ReplyC answer = reply[0]
    cdef const LocalReplyC* rule = NULL
    # Not what a route answers by itself.
    cdef bint failed = reply.status >= 400 and reply.detail != DETAIL_DIRECT_RESPONSE
    cdef int64_t written
    stream.record.flags |= reply.flags
    stream.record.detail = reply.detail
    if stream.flags & STREAM_RESPONDED:
        stream_cut(stream, reply.flags, reply.detail)
        return
    if stream.client != NULL:
        stream.upstream_failure = stream.client.upstream.failure
        stream.flags |= STREAM_CLIENT_LAST
        if stream.http.settings.explain:
            note_attempt(stream, reply.detail)
    if failed:
        if not answer.body.size:
            answer.body = literal(words_of(stream, reply.detail))
        rule = local_reply_find(stream, reply.status, reply.detail)
        if rule != NULL:
            follow_rule(stream, rule, &answer)
    written = write_head(stream, &answer, rule, failed)
    if written < 0:
        stream_cut(stream, FLAG_OVERLOAD, DETAIL_OUT_OF_MEMORY)
        return
    stream.flags |= STREAM_RESPONDED
    stream.record.status = answer.status
    stream.record.header_bytes_sent = written
    if stream.method_id == METHOD_HEAD:
        answer.body.size = 0
    stream.record.bytes_sent = answer.body.size
    send(stream, written, answer.body)


cdef const char* words_of(const StreamC* stream, uint16_t detail) noexcept nogil:
    return http1_error_text(stream.record.codec_error) if stream.record.codec_error else detail_text(detail)


cdef void note_attempt(StreamC* stream, uint16_t detail) noexcept nogil:
    """The attempt under way is the last one."""
    cdef const EndpointC* endpoint = stream.client.upstream.endpoint
    explain_attempt(
        &stream.explain, endpoint if endpoint != NULL else stream.endpoint, 0, detail, stream.client.upstream.error)


cdef void follow_rule(StreamC* stream, const LocalReplyC* rule, ReplyC* answer) noexcept nogil:
    if rule.status:
        answer.status = rule.status
    if rule.has_body:
        answer.body = TextC(
            stream.worker.text, local_reply_write(rule, stream, answer.status, answer.body, stream.worker.text))
        answer.content_type = rule.content_type


cdef void send(StreamC* stream, int64_t written, TextC body) noexcept nogil:
    """Send the head that stands in the worker's message buffer, and the body; that ends the stream."""
    cdef HttpWorkerC* worker = stream.worker
    cdef RelayStatus status
    if written + <int64_t>body.size <= MESSAGE_BYTES:
        if body.size:
            memcpy(worker.message + written, body.bytes, body.size)
        status = side_send(worker.core, &stream.connection.downstream, worker.message, written + body.size)
    else:
        status = side_send(worker.core, &stream.connection.downstream, worker.message, written)
        if status == RELAY_WAITING or status == RELAY_BLOCKED:
            status = side_send(worker.core, &stream.connection.downstream, body.bytes, body.size)
    if status == RELAY_SINK_FAILED:
        stream_cut(stream, FLAG_DOWNSTREAM_CONNECTION_TERMINATION, DETAIL_DOWNSTREAM_RESET)
    elif status == RELAY_NO_MEMORY:
        stream_cut(stream, FLAG_OVERLOAD, DETAIL_OUT_OF_MEMORY)
    else:
        stream_complete(stream)


cdef int64_t write_head(
    StreamC* stream, const ReplyC* reply, const LocalReplyC* rule, bint failed
) noexcept nogil:
    """Write it to the worker's message buffer; its size, or below 0. `rule`: NULL if there is none."""
    cdef HttpWorkerC* worker = stream.worker
    cdef AddedFieldC[HEADER_ADDED_MOST + OWN_FIELDS] added
    cdef char[DATE_BYTES] date
    cdef uint8_t[EXPLAIN_BYTES] explanation
    cdef HeadC head
    cdef OutputC output
    head_begin(&head, HEAD_RESPONSE, worker.fields)
    memset(&output, 0, sizeof(OutputC))
    added[0] = AddedFieldC(literal(b"date"), TextC(<const uint8_t*>&date[0], write_date(date)))
    output.added_count = 1
    if reply.body.size:
        added[output.added_count] = AddedFieldC(
            literal(b"content-type"), reply.content_type if reply.content_type.size else literal(b"text/plain"))
        output.added_count += 1
    if reply.location.size:
        added[output.added_count] = AddedFieldC(literal(b"location"), reply.location)
        output.added_count += 1
    if has_policy_fields(stream):
        policy_fields_add(stream, &head, NULL, added, &output.added_count)
    if stream.http.settings.explain and failed:
        added[output.added_count] = AddedFieldC(literal(explain_name()), TextC(
            &explanation[0], explain_write(stream.explain, words_of(stream, reply.detail), explanation)))
        output.added_count += 1
    if rule != NULL:
        output.added_count = header_edits_apply(
            &rule.headers, &head, NULL, added, output.added_count, HEADER_ADDED_MOST + OWN_FIELDS)
    if stream.route != NULL:
        output.added_count = header_edits_apply(
            &stream.route.response_headers, &head, NULL, added, output.added_count, HEADER_ADDED_MOST + OWN_FIELDS)
    output.added = &added[0]
    downstream_framing(stream, BODY_LENGTH, reply.body.size, &output)
    if reply.status == 204 or reply.status == 304:
        # RFC 9110, sections 8.6 and 15.4.5.
        output.body = BODY_NONE
        output.states_length = False
    return response_write(
        &head, NULL, reply.status, reason_of(reply.status), &output, worker.message, MESSAGE_BYTES)


cdef TextC literal(const char* text) noexcept nogil:
    return TextC(<const uint8_t*>text, strlen(text))


cdef size_t write_date(char* out) noexcept nogil:
    """RFC 9110, section 5.6.7. The locale of the process is never set, so its names are English."""
    cdef time_t now = time(NULL)
    return strftime(out, DATE_BYTES, b"%a, %d %b %Y %H:%M:%S GMT", gmtime(&now))


cdef TextC reason_of(uint16_t status) noexcept nogil:
    """RFC 9110, section 15, for what we say ourselves; a client makes nothing of it."""
    if status == 200:
        return literal(b"OK")
    if status == 204:
        return literal(b"No Content")
    if status == 301:
        return literal(b"Moved Permanently")
    if status == 302:
        return literal(b"Found")
    if status == 303:
        return literal(b"See Other")
    if status == 307:
        return literal(b"Temporary Redirect")
    if status == 308:
        return literal(b"Permanent Redirect")
    if status == 400:
        return literal(b"Bad Request")
    if status == 403:
        return literal(b"Forbidden")
    if status == 404:
        return literal(b"Not Found")
    if status == 408:
        return literal(b"Request Timeout")
    if status == 413:
        return literal(b"Content Too Large")
    if status == 414:
        return literal(b"URI Too Long")
    if status == 417:
        return literal(b"Expectation Failed")
    if status == 426:
        return literal(b"Upgrade Required")
    if status == 429:
        return literal(b"Too Many Requests")
    if status == 431:
        return literal(b"Request Header Fields Too Large")
    if status == 500:
        return literal(b"Internal Server Error")
    if status == 501:
        return literal(b"Not Implemented")
    if status == 502:
        return literal(b"Bad Gateway")
    if status == 503:
        return literal(b"Service Unavailable")
    if status == 504:
        return literal(b"Gateway Timeout")
    if status == 505:
        return literal(b"HTTP Version Not Supported")
    return TextC(NULL, 0)
