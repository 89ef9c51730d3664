"""What a stream tells of itself; the contract stands in stream_record.pxd."""

from libc.stdint cimport uint8_t, uint16_t, uint32_t
from libc.string cimport memset
from mesh_core.http.stream cimport STREAM_COUNTED_ENDPOINT, STREAM_COUNTED_REQUEST, DownstreamC, downstream_of
from mesh_core.net.address cimport PeerAddressC
from mesh_core.relay.connection cimport ConnectionC
from mesh_core.relay.record cimport record_add_tls
from mesh_core.runtime.clock cimport monotonic_us
from mesh_core.runtime.core cimport CoreC
from mesh_core.telemetry.access_record cimport (
    TEXT_CLUSTER, TEXT_ENDPOINT, TEXT_LISTENER, TEXT_ROUTE, TEXT_SPAN_ID, TEXT_TRACE_ID, TEXT_TRACE_SAMPLED,
    TEXT_UPSTREAM_FAILURE, TEXT_VIRTUAL_HOST, AccessTextsC,
    RequestRecordC, access_text_add, access_text_add_static,
)
from mesh_core.telemetry.request_capture cimport capture_give, capture_take, request_capture
from mesh_core.telemetry.request_metrics cimport CLUSTER_ID_NONE, TRAIT_MUTUAL_TLS, request_metrics_count
from mesh_core.telemetry.request_record cimport request_log
from mesh_core.telemetry.trace_context cimport SPAN_ID_BYTES, TRACE_ID_BYTES, hex_write
from mesh_core.telemetry.stats cimport (
    CLUSTER_RQ_1XX, ENDPOINT_RQ_ERROR, ENDPOINT_RQ_SUCCESS, LISTENER_RQ_1XX, stat_of_status,
)


cdef void stream_note_request(
    StreamC* stream, const HeadC* head, const uint8_t* data, const FramingC* framing
) noexcept nogil:
    stream.record.method_id = head.method_id
    if stream.snapshot.capture_plan == NULL:
        return
    stream.capture = capture_take(&stream.worker.core.captures)
    if stream.capture != NULL:
        request_capture(stream.snapshot.capture_plan, head, data, framing.authority, stream.capture)


cdef void stream_record(StreamC* stream) noexcept nogil:
    cdef CoreC* core = stream.worker.core
    cdef RequestRecordC* record = &stream.record
    cdef const ConnectionC* connection = stream.connection
    cdef bint counted = stream.flags & STREAM_COUNTED_REQUEST != 0
    cdef uint8_t traits = connection.listener.metric_traits
    if not record.ended_us:
        record.ended_us = monotonic_us()
    if connection.downstream.tls != NULL and connection.downstream.tls.identity_size:
        traits |= TRAIT_MUTUAL_TLS
    if record.status:
        count_status(stream, counted)
    request_metrics_count(
        &core.request_metrics, record, stream.cluster.metric_id if counted else CLUSTER_ID_NONE, traits,
        stream.cluster.time_stats[core.index] if counted else NULL)
    if stream.snapshot.access_log:
        log(stream)
    if stream.capture != NULL:
        capture_give(&core.captures, stream.capture)
        stream.capture = NULL


cdef void count_status(const StreamC* stream, bint counted) noexcept nogil:
    cdef uint32_t index = stream.worker.core.index
    cdef uint16_t status = stream.record.status
    stream.connection.listener.stats[index][stat_of_status(LISTENER_RQ_1XX, status)] += 1
    if counted and stream.record.responded_us:
        stream.cluster.stats[index][stat_of_status(CLUSTER_RQ_1XX, status)] += 1
    if stream.flags & STREAM_COUNTED_ENDPOINT:
        stream.endpoint.stats[index][ENDPOINT_RQ_SUCCESS if status < 500 else ENDPOINT_RQ_ERROR] += 1


cdef void log(StreamC* stream) noexcept nogil:
    cdef const ConnectionC* connection = stream.connection
    cdef const DownstreamC* downstream = downstream_of(connection)
    cdef AccessTextsC texts
    cdef uint8_t[2 * TRACE_ID_BYTES] trace_id
    cdef uint8_t[2 * SPAN_ID_BYTES] span_id
    memset(&texts, 0, sizeof(AccessTextsC))
    access_text_add(&texts, TEXT_LISTENER, connection.listener.name.text, connection.listener.name.size)
    if stream.cluster != NULL:
        access_text_add(&texts, TEXT_CLUSTER, stream.cluster.name.text, stream.cluster.name.size)
    if stream.endpoint != NULL:
        access_text_add(&texts, TEXT_ENDPOINT, stream.endpoint.name.text, stream.endpoint.name.size)
    if stream.route != NULL:
        access_text_add(&texts, TEXT_ROUTE, stream.route.name.text, stream.route.name.size)
        access_text_add(&texts, TEXT_VIRTUAL_HOST, stream.route.virtual_host.text, stream.route.virtual_host.size)
    record_add_tls(
        &texts, connection.downstream.tls, stream.client.upstream.side.tls if stream.client != NULL else NULL)
    access_text_add_static(&texts, TEXT_UPSTREAM_FAILURE, stream.upstream_failure)
    if stream.trace.present:
        access_text_add(
            &texts, TEXT_TRACE_ID, <const char*>&trace_id[0],
            hex_write(stream.trace.trace_id, TRACE_ID_BYTES, trace_id))
        access_text_add(
            &texts, TEXT_SPAN_ID, <const char*>&span_id[0], hex_write(stream.trace.span_id, SPAN_ID_BYTES, span_id))
        access_text_add_static(&texts, TEXT_TRACE_SAMPLED, b"true" if stream.trace.sampled else b"false")
    stream.record.downstream_remote = connection.remote
    stream.record.downstream_local = downstream.local
    if stream.client != NULL:
        stream.record.upstream_local = stream.client.local
    else:
        memset(&stream.record.upstream_local, 0, sizeof(PeerAddressC))
    request_log(&stream.worker.core.access_ring, &stream.record, &texts, stream.capture)
