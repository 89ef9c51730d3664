"""What a stream does for its access record and its metrics, from Python."""

from libc.stdint cimport int64_t, uint8_t, uint32_t, uint64_t
from libc.string cimport memset
from mesh_core._testing.convert cimport peer_address
from mesh_core.http1.framing cimport FramingC, request_framing
from mesh_core.http1.head cimport (
    HEAD_COMPLETE, HEAD_REQUEST, HEAD_RESPONSE, FieldC, HeadC, head_begin, head_parse,
)
from mesh_core.http1.limits cimport HTTP1_FIELD_COUNT, Http1LimitsC, http1_limits_default
from mesh_core.includes.atomic cimport load_relaxed_u64
from mesh_core.runtime.clock cimport monotonic_us
from mesh_core.runtime.ring cimport RingC, ring_consume, ring_destroy, ring_init, ring_peek
from mesh_core.snapshot.snapshot cimport Snapshot
cimport mesh_core.telemetry.access_record as access_record
cimport mesh_core.telemetry.request_capture as request_capture
cimport mesh_core.telemetry.request_metrics as request_metrics
from mesh_core.telemetry.access_log cimport AccessFormat
from mesh_core.telemetry.request_id cimport REQUEST_ID_BYTES, RequestIdsC, request_id_write, request_ids_init
from mesh_core.telemetry.request_record cimport request_log
from mesh_core.telemetry.stats cimport StatsScope

CAPTURE_BYTES = request_capture.CAPTURE_BYTES
TRAIT_INBOUND = request_metrics.TRAIT_INBOUND
TRAIT_MUTUAL_TLS = request_metrics.TRAIT_MUTUAL_TLS
CAPTURE_SIZE = sizeof(request_capture.CaptureC)
TEXTS = {
    "listener": access_record.TEXT_LISTENER, "cluster": access_record.TEXT_CLUSTER,
    "endpoint": access_record.TEXT_ENDPOINT, "server_name": access_record.TEXT_REQUESTED_SERVER_NAME,
    "downstream_tls_version": access_record.TEXT_DOWNSTREAM_TLS_VERSION,
    "downstream_tls_cipher": access_record.TEXT_DOWNSTREAM_TLS_CIPHER,
    "downstream_identity": access_record.TEXT_DOWNSTREAM_PEER_IDENTITY,
    "downstream_failure": access_record.TEXT_DOWNSTREAM_FAILURE,
    "upstream_tls_version": access_record.TEXT_UPSTREAM_TLS_VERSION,
    "upstream_tls_cipher": access_record.TEXT_UPSTREAM_TLS_CIPHER,
    "upstream_identity": access_record.TEXT_UPSTREAM_PEER_IDENTITY,
    "upstream_failure": access_record.TEXT_UPSTREAM_FAILURE, "route": access_record.TEXT_ROUTE,
    "virtual_host": access_record.TEXT_VIRTUAL_HOST, "trace_id": access_record.TEXT_TRACE_ID,
    "span_id": access_record.TEXT_SPAN_ID, "trace_sampled": access_record.TEXT_TRACE_SAMPLED,
}


cdef int parse(HeadC* head, FieldC* fields, bytes text, int kind) except -1:
    cdef Http1LimitsC limits
    http1_limits_default(&limits)
    head_begin(head, kind, fields)
    if head_parse(head, text, len(text), &limits) != HEAD_COMPLETE:
        raise ValueError(f"no complete head: {text!r}")
    return 0


cdef int fill_in(access_record.RequestRecordC* record, dict numbers) except -1:
    """Set the members that `numbers` names."""
    access_record.request_record_begin(
        record, numbers.get("connection_id", 1), numbers.get("start_time_us", 0), numbers.get("received_us", 1))
    record.received_end_us = numbers.get("received_end_us", 0)
    record.upstream_sent_us = numbers.get("upstream_sent_us", 0)
    record.upstream_sent_end_us = numbers.get("upstream_sent_end_us", 0)
    record.responded_us = numbers.get("responded_us", 0)
    record.responded_end_us = numbers.get("responded_end_us", 0)
    record.ended_us = numbers.get("ended_us", 1)
    record.connect_time_us = numbers.get("connect_time_us", -1)
    record.bytes_received, record.bytes_sent = numbers.get("bytes_received", 0), numbers.get("bytes_sent", 0)
    record.header_bytes_received = numbers.get("header_bytes_received", 0)
    record.header_bytes_sent = numbers.get("header_bytes_sent", 0)
    record.flags, record.status = numbers.get("flags", 0), numbers.get("status", 0)
    record.detail, record.termination = numbers.get("detail", 0), numbers.get("termination", 0)
    record.error, record.codec_error = numbers.get("error", 0), numbers.get("codec_error", 0)
    record.attempts, record.protocol = numbers.get("attempts", 0), numbers.get("protocol", 0)
    record.downstream_remote = peer_address(numbers.get("downstream_remote", b""))
    record.downstream_local = peer_address(numbers.get("downstream_local", b""))
    record.upstream_local = peer_address(numbers.get("upstream_local", b""))
    return 0


cdef class RequestLog:
    """A worker's ring, captures and metrics, and a snapshot that says what to capture."""

    cdef RingC ring
    cdef request_capture.CapturePoolC pool
    cdef request_metrics.RequestMetricsC metrics
    cdef Snapshot snapshot

    def __cinit__(self, Snapshot snapshot=None, uint64_t capacity=1 << 20, uint32_t series_limit=100):
        self.snapshot = snapshot
        if ring_init(&self.ring, capacity, -1) < 0:
            raise MemoryError()
        if request_metrics.request_metrics_init(&self.metrics, series_limit) < 0:
            raise MemoryError()

    def __dealloc__(self):
        ring_destroy(&self.ring)
        request_capture.capture_pool_destroy(&self.pool)
        request_metrics.request_metrics_destroy(&self.metrics)

    @property
    def dropped(self):
        return load_relaxed_u64(&self.ring.dropped)

    def collect(self, AccessFormat format not None):
        return format.collect(&self.ring)

    def write(self, bytes request=b"", bytes response=b"", *, bytes request_id=b"", dict texts=None, **numbers):
        """A stream, from its heads to its record; False when the ring was full."""
        cdef FieldC[HTTP1_FIELD_COUNT] fields
        cdef HeadC head
        cdef FramingC framing
        cdef access_record.RequestRecordC record
        cdef access_record.AccessTextsC found
        cdef uint64_t dropped = self.ring.dropped
        cdef const request_capture.CapturePlanC* plan = self.snapshot.table.capture_plan
        cdef request_capture.CaptureC* capture = request_capture.capture_take(&self.pool)
        cdef bytes text
        if capture == NULL:
            raise MemoryError()
        try:
            if request:
                parse(&head, fields, request, HEAD_REQUEST)
                if request_framing(&head, request, &framing):
                    raise ValueError("not to be framed")
                request_capture.request_capture(plan, &head, request, framing.authority, capture)
            if request_id:
                request_capture.capture_text(capture, access_record.TEXT_REQUEST_ID, request_id, len(request_id))
            if response:
                parse(&head, fields, response, HEAD_RESPONSE)
                request_capture.response_capture(plan, &head, response, capture)
            fill_in(&record, numbers)
            memset(&found, 0, sizeof(found))
            for name, text in (texts or {}).items():
                access_record.access_text_add(&found, TEXTS[name], text, len(text))
            request_log(&self.ring, &record, &found, capture)
        finally:
            request_capture.capture_give(&self.pool, capture)
        return self.ring.dropped == dropped

    def write_without_capture(self, **numbers):
        cdef access_record.RequestRecordC record
        cdef access_record.AccessTextsC found
        fill_in(&record, numbers)
        memset(&found, 0, sizeof(found))
        request_log(&self.ring, &record, &found, NULL)

    def take_and_give(self, uint32_t count):
        """Hold that many captures at a time; how many stay with the pool."""
        cdef request_capture.CaptureC* first = NULL
        cdef request_capture.CaptureC* capture = NULL
        for _ in range(count):
            capture = request_capture.capture_take(&self.pool)
            if capture == NULL:
                raise MemoryError()
            capture.next = first
            first = capture
        while first != NULL:
            capture = first
            first = capture.next
            request_capture.capture_give(&self.pool, capture)
        return self.pool.spare_count

    def count(self, uint32_t cluster_id=1, uint8_t traits=0, StatsScope time_scope=None, **numbers):
        cdef access_record.RequestRecordC record
        fill_in(&record, numbers)
        request_metrics.request_metrics_count(
            &self.metrics, &record, cluster_id, traits, time_scope.blocks[0] if time_scope is not None else NULL)

    def series(self):
        return request_metrics.read_request_metrics(&self.metrics)

    def costs_ns(
        self, bytes request, bytes response, dict texts, AccessFormat format not None, uint32_t count, **numbers
    ):
        """Nanoseconds of each step for one request, over `count` of them.

        The steps: capturing, writing the record, counting, a line.
        """
        cdef FieldC[HTTP1_FIELD_COUNT] fields
        cdef FieldC[HTTP1_FIELD_COUNT] response_fields
        cdef HeadC head
        cdef HeadC response_head
        cdef FramingC framing
        cdef access_record.RequestRecordC record
        cdef access_record.AccessTextsC found
        cdef access_record.AccessTextsC each
        cdef const request_capture.CapturePlanC* plan = self.snapshot.table.capture_plan
        cdef request_capture.CaptureC* capture = NULL
        cdef const uint8_t* data = request
        cdef const uint8_t* response_data = response
        cdef int64_t begin, captured, written, counted, formatted
        cdef uint32_t index, _index, size
        cdef bytes text
        parse(&head, fields, request, HEAD_REQUEST)
        request_framing(&head, request, &framing)
        parse(&response_head, response_fields, response, HEAD_RESPONSE)
        fill_in(&record, numbers)
        memset(&found, 0, sizeof(found))
        for name, text in texts.items():
            access_record.access_text_add(&found, TEXTS[name], text, len(text))
        with nogil:
            begin = monotonic_us()
            for _index in range(count):
                capture = request_capture.capture_take(&self.pool)
                request_capture.request_capture(plan, &head, data, framing.authority, capture)
                request_capture.response_capture(plan, &response_head, response_data, capture)
                request_capture.capture_give(&self.pool, capture)
            captured = monotonic_us()
            for _index in range(count):
                each = found
                request_log(&self.ring, &record, &each, capture)
                if ring_peek(&self.ring, &size) != NULL:
                    ring_consume(&self.ring)
            written = monotonic_us()
            for index in range(count):
                request_metrics.request_metrics_count(&self.metrics, &record, 1 + index % 8, 0, NULL)
            counted = monotonic_us()
            for _index in range(256):
                each = found
                request_log(&self.ring, &record, &each, capture)
        formatted = monotonic_us()
        size = <uint32_t>len(format.collect(&self.ring))
        formatted = monotonic_us() - formatted
        return {
            "capture": 1000 * (captured - begin) / count, "record": 1000 * (written - captured) / count,
            "count": 1000 * (counted - written) / count, "line": 1000 * formatted / 256, "line_bytes": size / 256,
        }


def request_ids(count, seed=None):
    """So many request ids of one generator (list[bytes]); `seed`: two numbers to begin with."""
    cdef RequestIdsC ids
    cdef uint8_t[REQUEST_ID_BYTES] out
    if request_ids_init(&ids):
        raise OSError("no random numbers")
    if seed is not None:
        ids.state[0], ids.state[1] = seed
    found = []
    for _ in range(count):
        request_id_write(&ids, out)
        found.append((<const char*>out)[:REQUEST_ID_BYTES])
    return found
