"""Answers that the proxy gives itself; the contract stands in local_reply.pxd."""

from libc.stdint cimport int64_t, uint8_t
from libc.string cimport memcpy, memset, strlen
from libc.time cimport gmtime, strftime, time, time_t
from mesh_core.http.downstream_head cimport downstream_framing
from mesh_core.http.ending cimport stream_complete, stream_cut
from mesh_core.http.stream cimport MESSAGE_BYTES, STREAM_CLIENT_LAST, STREAM_RESPONDED, HttpWorkerC
from mesh_core.http1.errors cimport http1_error_text
from mesh_core.http1.framing cimport BODY_LENGTH, BODY_NONE
from mesh_core.http1.head cimport HEAD_RESPONSE, HeadC, head_begin
from mesh_core.http1.method cimport METHOD_HEAD
from mesh_core.http1.serialize cimport AddedFieldC, OutputC, response_write
from mesh_core.relay.relay cimport RELAY_BLOCKED, RELAY_NO_MEMORY, RELAY_SINK_FAILED, RELAY_WAITING, RelayStatus
from mesh_core.relay.transport cimport side_send
from mesh_core.routing.header_edits cimport HEADER_ADDED_MOST, header_edits_apply
from mesh_core.telemetry.response_flags cimport (
    DETAIL_DOWNSTREAM_RESET, DETAIL_OUT_OF_MEMORY, FLAG_DOWNSTREAM_CONNECTION_TERMINATION, FLAG_OVERLOAD, detail_text,
)

cdef enum:
    DATE_BYTES = 30
    OWN_FIELDS = 4


cdef void stream_reply_status(StreamC* stream, uint16_t status, uint32_t flags, uint16_t detail) noexcept nogil:
    cdef ReplyC reply
    memset(&reply, 0, sizeof(ReplyC))
    reply.status = status
    reply.flags = flags
    reply.detail = detail
    stream_reply(stream, &reply)


cdef void stream_reply(StreamC* stream, const ReplyC* reply) noexcept nogil:
    cdef HttpWorkerC* worker = stream.worker
    cdef TextC body = reply.body
    cdef RelayStatus status
    cdef int64_t written
    stream.record.flags |= reply.flags
    stream.record.detail = reply.detail
    if stream.flags & STREAM_RESPONDED:
        stream_cut(stream, reply.flags, reply.detail)
        return
    if stream.client != NULL:
        stream.upstream_failure = stream.client.upstream.failure
        stream.flags |= STREAM_CLIENT_LAST
    if not body.size and reply.status >= 400:
        body.bytes = <const uint8_t*>(
            http1_error_text(stream.record.codec_error) if stream.record.codec_error else detail_text(reply.detail))
        body.size = strlen(<const char*>body.bytes)
    written = write_head(stream, reply, body)
    if written < 0:
        stream_cut(stream, FLAG_OVERLOAD, DETAIL_OUT_OF_MEMORY)
        return
    stream.flags |= STREAM_RESPONDED
    stream.record.status = reply.status
    stream.record.header_bytes_sent = written
    if stream.method_id == METHOD_HEAD:
        body.size = 0
    stream.record.bytes_sent = body.size
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


cdef int64_t write_head(StreamC* stream, const ReplyC* reply, TextC body) noexcept nogil:
    """Write it to the worker's message buffer; its size, or below 0."""
    cdef HttpWorkerC* worker = stream.worker
    cdef AddedFieldC[HEADER_ADDED_MOST + OWN_FIELDS] added
    cdef char[DATE_BYTES] date
    cdef HeadC head
    cdef OutputC output
    head_begin(&head, HEAD_RESPONSE, worker.fields)
    memset(&output, 0, sizeof(OutputC))
    added[0] = AddedFieldC(literal(b"date"), TextC(<const uint8_t*>&date[0], write_date(date)))
    output.added_count = 1
    if body.size:
        added[output.added_count] = AddedFieldC(
            literal(b"content-type"), reply.content_type if reply.content_type.size else literal(b"text/plain"))
        output.added_count += 1
    if reply.location.size:
        added[output.added_count] = AddedFieldC(literal(b"location"), reply.location)
        output.added_count += 1
    if stream.route != NULL:
        output.added_count = header_edits_apply(
            &stream.route.response_headers, &head, NULL, added, output.added_count, HEADER_ADDED_MOST + OWN_FIELDS)
    output.added = &added[0]
    downstream_framing(stream, BODY_LENGTH, body.size, &output)
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
    if status == 414:
        return literal(b"URI Too Long")
    if status == 417:
        return literal(b"Expectation Failed")
    if status == 426:
        return literal(b"Upgrade Required")
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
