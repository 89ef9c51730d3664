"""Requests that are none; the contract stands in refusal.pxd."""

from libc.stdint cimport uint16_t
from mesh_core.http.body_rate cimport body_rate_begin
from mesh_core.http.local_reply cimport stream_reply_status
from mesh_core.http.stream cimport STREAM_LAST, DownstreamC, downstream_of, stream_create
from mesh_core.http1.errors cimport http1_error_status
from mesh_core.relay.connection cimport connection_out_of_memory
from mesh_core.telemetry.response_flags cimport (
    DETAIL_REQUEST_HEADERS_TOO_LARGE, DETAIL_REQUEST_HEADER_TIMEOUT, DETAIL_REQUEST_MALFORMED,
    FLAG_DOWNSTREAM_PROTOCOL_ERROR,
)
from mesh_core.telemetry.stats cimport LISTENER_CX_MAX_REQUESTS, LISTENER_HTTP_PROTOCOL_ERROR


cdef StreamC* stream_begin(ConnectionC* connection) noexcept nogil:
    cdef DownstreamC* downstream = downstream_of(connection)
    cdef StreamC* stream = stream_create(downstream.worker, connection)
    if stream == NULL:
        connection_out_of_memory(connection)
        return NULL
    downstream.stream = stream
    body_rate_begin(&downstream.rate, stream.begun_ms)
    downstream.requests += 1
    if downstream.last:
        stream.flags |= STREAM_LAST
    if downstream.requests == stream.http.settings.max_requests_per_connection:
        connection.listener.stats[downstream.worker.core.index][LISTENER_CX_MAX_REQUESTS] += 1
        stream.flags |= STREAM_LAST
    return stream


cdef void request_refuse(ConnectionC* connection, int error) noexcept nogil:
    cdef StreamC* stream = stream_begin(connection)
    if stream != NULL:
        request_refuse_begun(stream, error)


cdef void request_late(ConnectionC* connection) noexcept nogil:
    cdef StreamC* stream = stream_begin(connection)
    if stream != NULL:
        downstream_of(connection).unread = True
        stream.flags |= STREAM_LAST
        stream.minor_version = 1
        stream_reply_status(stream, 408, FLAG_DOWNSTREAM_PROTOCOL_ERROR, DETAIL_REQUEST_HEADER_TIMEOUT)


cdef void request_refuse_begun(StreamC* stream, int error) noexcept nogil:
    cdef int status = http1_error_status(error)
    stream.connection.listener.stats[stream.worker.core.index][LISTENER_HTTP_PROTOCOL_ERROR] += 1
    downstream_of(stream.connection).unread = True
    stream.flags |= STREAM_LAST
    stream.minor_version = 1
    stream.record.codec_error = <short>error
    stream_reply_status(
        stream, <uint16_t>status, FLAG_DOWNSTREAM_PROTOCOL_ERROR,
        DETAIL_REQUEST_HEADERS_TOO_LARGE if status == 431 or status == 414 else DETAIL_REQUEST_MALFORMED)
