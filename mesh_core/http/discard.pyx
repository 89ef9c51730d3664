"""Answers that are read and thrown away; the contract stands in discard.pxd."""

from libc.stdint cimport uint16_t, uint32_t
from mesh_core.http.body cimport body_begin, body_take
from mesh_core.http.input cimport input_clear, input_head, input_holds, input_rest
from mesh_core.http.results cimport endpoint_answered
from mesh_core.http.stream cimport STREAM_CLIENT_LAST, STREAM_RESPONDED, HttpClientC
from mesh_core.http1.errors cimport HTTP1_OK
from mesh_core.http1.framing cimport BODY_NONE, BODY_TUNNEL, FramingC, response_framing, trailers_check
from mesh_core.http1.head cimport HEAD_INCOMPLETE, HEAD_RESPONSE, HEAD_TRAILERS, HeadC
from mesh_core.http1.method cimport METHOD_HEAD
from mesh_core.telemetry.stats cimport CLUSTER_RQ_1XX, ENDPOINT_RQ_ERROR, ENDPOINT_RQ_SUCCESS, stat_of_status


cdef int discard_take(StreamC* stream, const uint8_t* data, size_t size) noexcept nogil:
    cdef HttpClientC* client = stream.client
    cdef int verdict = HEAD_INCOMPLETE + 1
    while not stream.flags & STREAM_RESPONDED and verdict > 0:
        verdict = take_head(stream, &data, &size)
    if verdict > 0 and size and not stream.response_body.in_trailers:
        verdict = take_body(stream, &data, &size)
    if verdict > 0 and stream.response_body.in_trailers and not stream.response_body.ended:
        verdict = take_trailers(stream, &data, &size)
    if verdict < 0:
        return DISCARD_MALFORMED
    if verdict > 0 and client.input.size:
        input_clear(&client.input)
    if verdict == 0 or not stream.response_body.ended:
        return DISCARD_MORE
    if size:
        stream.flags |= STREAM_CLIENT_LAST
    return DISCARD_ENDED


cdef int take_head(StreamC* stream, const uint8_t** data, size_t* size) noexcept nogil:
    """Below 0: malformed; 0: more must come."""
    cdef HttpClientC* client = stream.client
    cdef FramingC framing
    cdef HeadC* head
    cdef int verdict
    if not size[0] and not client.input.size:
        return HEAD_INCOMPLETE
    verdict = input_head(
        &client.input, HEAD_RESPONSE, &stream.cluster.http.limits, stream.worker.fields, &stream.worker.head, data,
        size, &head)
    if verdict <= 0:
        return verdict
    verdict = response_framing(head, data[0], stream.method_id, False, &framing)
    if verdict != HTTP1_OK or framing.body == BODY_TUNNEL or framing.has_upgrade:
        return -1
    data[0] += head.bytes
    size[0] -= head.bytes
    if framing.is_interim:
        if client.input.size:
            input_rest(&client.input, data[0], size[0])
            size[0] = 0
        return 1
    body_begin(&stream.response_body, framing.body, framing.length, BODY_NONE)
    stream.flags |= STREAM_RESPONDED
    if not framing.keep_alive or (stream.method_id == METHOD_HEAD and framing.length):
        stream.flags |= STREAM_CLIENT_LAST
    note_status(stream, head.status)
    return 1


cdef void note_status(StreamC* stream, uint16_t status) noexcept nogil:
    cdef uint32_t index = stream.worker.core.index
    endpoint_answered(stream, status)
    stream.cluster.stats[index][stat_of_status(CLUSTER_RQ_1XX, status)] += 1
    stream.endpoint.stats[index][ENDPOINT_RQ_SUCCESS if status < 500 else ENDPOINT_RQ_ERROR] += 1


cdef int take_body(StreamC* stream, const uint8_t** data, size_t* size) noexcept nogil:
    cdef const uint8_t* content
    cdef size_t taken, content_bytes
    cdef int status = body_take(
        &stream.response_body, &stream.cluster.http.limits, data[0], size[0], &taken, stream.worker.message, &content,
        &content_bytes)
    if status != HTTP1_OK:
        return -1
    data[0] += taken
    size[0] -= taken
    return 1


cdef int take_trailers(StreamC* stream, const uint8_t** data, size_t* size) noexcept nogil:
    """Below 0: malformed; 0: more must come."""
    cdef HttpClientC* client = stream.client
    cdef HeadC* trailers
    cdef int verdict
    if input_holds(&client.input, data[0]):
        input_rest(&client.input, data[0], size[0])
        size[0] = 0
    verdict = input_head(
        &client.input, HEAD_TRAILERS, &stream.cluster.http.limits, stream.worker.fields, &stream.worker.head, data,
        size, &trailers)
    if verdict <= 0:
        return verdict
    if trailers_check(trailers) != HTTP1_OK:
        return -1
    stream.response_body.ended = True
    data[0] += trailers.bytes
    size[0] -= trailers.bytes
    return 1
