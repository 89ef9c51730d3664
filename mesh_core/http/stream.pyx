"""Streams and what a worker has for them; the contract stands in stream.pxd."""

from libc.stdint cimport int64_t, uint8_t
from libc.string cimport memset
from mesh_core.http.attempts cimport attempts_end
from mesh_core.http.clients cimport clients_close_idle
from mesh_core.http.mirroring cimport mirroring_end
from mesh_core.http.policy_state cimport policy_state_end
from mesh_core.http.replay cimport ReplayC, replay_free, replay_reset
from mesh_core.http.waiting cimport waiting_leave, waiting_wake
from mesh_core.includes.atomic cimport fetch_add_u64
from mesh_core.includes.likely cimport unlikely
from mesh_core.includes.linux cimport ENOMEM
from mesh_core.runtime.clock cimport monotonic_us
from mesh_core.runtime.core cimport core_notify
from mesh_core.runtime.memory cimport memory_alloc, memory_free
from mesh_core.runtime.reactor cimport reactor_cancel_task
from mesh_core.snapshot.shared_count cimport shared_count_enter, shared_count_leave
from mesh_core.snapshot.snapshot cimport snapshot_hold, snapshot_release
from mesh_core.telemetry.access_record cimport request_record_begin
from mesh_core.telemetry.response_flags cimport DETAIL_CONCURRENCY_LIMIT, DETAIL_REQUEST_OVERFLOW, FLAG_DELAY_INJECTED
from mesh_core.telemetry.stats cimport (
    CLUSTER_RQ_COMPLETED, CLUSTER_RQ_OVERFLOW, CLUSTER_RQ_TOTAL, CONCURRENCY_RQ_BLOCKED, ENDPOINT_RQ_COMPLETED,
    ENDPOINT_RQ_TOTAL, LISTENER_RQ_COMPLETED, LISTENER_RQ_TOTAL, MIRROR_CUT,
)
from mesh_core.upstream.concurrency_limit cimport concurrency_enter, concurrency_leave, concurrency_sample
from mesh_core.upstream.endpoint_state cimport ConcurrencyC, breaker_priority

cdef enum:
    SPARES_KEPT = 256


cdef int http_worker_init(HttpWorkerC* worker, CoreC* core, SnapshotC** current) noexcept nogil:
    worker.core = core
    worker.current = current
    worker.waiting_end = &worker.waiting
    worker.fields = <FieldC*>memory_alloc(FIELDS_MOST * sizeof(FieldC))
    worker.message = <uint8_t*>memory_alloc(MESSAGE_BYTES)
    worker.path = <uint8_t*>memory_alloc(TEXT_BYTES)
    worker.text = <uint8_t*>memory_alloc(TEXT_BYTES)
    if worker.fields != NULL and worker.message != NULL and worker.path != NULL and worker.text != NULL:
        return 0
    http_worker_destroy(worker)
    return ENOMEM


cdef void http_worker_destroy(HttpWorkerC* worker) noexcept nogil:
    cdef StreamC* stream
    clients_close_idle(worker)
    while worker.spare != NULL:
        stream = worker.spare
        worker.spare = stream.next_spare
        replay_free(&stream.replay)
        memory_free(stream)
    memory_free(worker.fields)
    memory_free(worker.message)
    memory_free(worker.path)
    memory_free(worker.text)
    worker.fields = NULL
    worker.message = worker.path = worker.text = NULL


cdef StreamC* stream_create(HttpWorkerC* worker, ConnectionC* connection) noexcept nogil:
    cdef StreamC* stream = worker.spare
    cdef int64_t now_us
    cdef ReplayC replay
    if stream != NULL:
        worker.spare = stream.next_spare
        worker.spare_count -= 1
        replay = stream.replay
        memset(stream, 0, <char*>&stream.record - <char*>stream)
        stream.replay = replay
    else:
        stream = <StreamC*>memory_alloc(sizeof(StreamC))
        if stream == NULL:
            return NULL
    stream.worker = worker
    stream.connection = connection
    stream.snapshot = connection.snapshot
    snapshot_hold(stream.snapshot, worker.core.index)
    stream.http = connection.chain.http
    stream.handlers = &worker.handlers
    stream.begun_ms = worker.core.reactor.now_ms
    now_us = monotonic_us()
    request_record_begin(&stream.record, connection.id, now_us + worker.core.reactor.wall_offset_us, now_us)
    connection.listener.stats[worker.core.index][LISTENER_RQ_TOTAL] += 1
    return stream


cdef void stream_leave(StreamC* stream) noexcept nogil:
    cdef HttpWorkerC* worker = stream.worker
    cdef uint32_t index = worker.core.index
    if stream.flags & STREAM_COUNTED_REQUEST:
        stream.cluster.stats[index][CLUSTER_RQ_COMPLETED] += 1
        shared_count_leave(&stream.cluster.state.requests[stream.priority])
    if unlikely(stream.flags & STREAM_COUNTED_CONCURRENCY):
        leave_concurrency(stream)
    if unlikely(stream.flags & (STREAM_QUEUED | STREAM_COUNTED_PENDING)):
        waiting_leave(stream)
    if unlikely(stream.task.link != NULL):
        # Its turn had come: it is the next one's.
        reactor_cancel_task(&worker.core.reactor, &stream.task)
        waiting_wake(worker, stream.cluster.state, stream.priority, stream.endpoint.state)
    leave_endpoint(stream)
    if unlikely(stream.attempts != NULL):
        attempts_end(stream)
    if unlikely(stream.explain != NULL):
        memory_free(stream.explain)
    replay_reset(&stream.replay)
    if unlikely(stream.policy != NULL):
        policy_state_end(stream.policy)
    if unlikely(stream.mirroring != NULL):
        mirroring_end(stream.mirroring, MIRROR_CUT)
    if unlikely(snapshot_release(stream.snapshot, index)):
        core_notify(worker.core)


cdef void stream_end(StreamC* stream) noexcept nogil:
    cdef HttpWorkerC* worker = stream.worker
    stream.connection.listener.stats[worker.core.index][LISTENER_RQ_COMPLETED] += 1
    stream_leave(stream)
    if unlikely(worker.spare_count >= SPARES_KEPT):
        replay_free(&stream.replay)
        memory_free(stream)
        return
    stream.next_spare = worker.spare
    worker.spare = stream
    worker.spare_count += 1


cdef bint stream_admit(StreamC* stream) noexcept nogil:
    cdef const ClusterC* cluster = stream.cluster
    cdef CoreC* core = stream.worker.core
    cdef uint64_t* stats = cluster.stats[core.index]
    if stream.route != NULL:
        stream.priority = <uint8_t>breaker_priority(stream.route.priority)
    if unlikely(not shared_count_enter(
            &cluster.state.requests[stream.priority], cluster.limits[stream.priority].max_requests)):
        stats[CLUSTER_RQ_OVERFLOW] += 1
        stream.record.detail = DETAIL_REQUEST_OVERFLOW
        return False
    stats[CLUSTER_RQ_TOTAL] += 1
    stream.flags |= STREAM_COUNTED_REQUEST
    if unlikely(cluster.concurrency_stats != NULL):
        if not concurrency_enter(&cluster.state.concurrency, core.reactor.now_ms):
            cluster.concurrency_stats[core.index][CONCURRENCY_RQ_BLOCKED] += 1
            stream.record.detail = DETAIL_CONCURRENCY_LIMIT
            return False
        stream.flags |= STREAM_COUNTED_CONCURRENCY
    return True


cdef void leave_concurrency(StreamC* stream) noexcept nogil:
    """What was answered is a sample, by the time until its answer began: how fast a client reads does not matter. So
    is what was not answered in time, as it took at least as long; an error that came fast says nothing."""
    cdef const RequestRecordC* record = &stream.record
    cdef ConcurrencyC* state = &stream.cluster.state.concurrency
    cdef int64_t ended_us = record.responded_us if record.responded_us else record.ended_us
    concurrency_leave(state)
    if stream.flags & STREAM_UPGRADE or not ended_us or record.flags & FLAG_DELAY_INJECTED:
        return
    if record.status == 504 or (record.responded_us and 200 <= record.status < 500):
        concurrency_sample(
            state, stream.cluster.concurrency_stats[stream.worker.core.index], record.received_us,
            ended_us - record.received_us)


cdef void stream_at_endpoint(StreamC* stream, EndpointC* endpoint) noexcept nogil:
    if stream.endpoint == endpoint and stream.flags & STREAM_COUNTED_ENDPOINT:
        return
    leave_endpoint(stream)
    stream.endpoint = endpoint
    stream.flags |= STREAM_COUNTED_ENDPOINT
    fetch_add_u64(&endpoint.state.active, 1)
    endpoint.stats[stream.worker.core.index][ENDPOINT_RQ_TOTAL] += 1


cdef void leave_endpoint(StreamC* stream) noexcept nogil:
    if stream.flags & STREAM_COUNTED_ENDPOINT:
        stream.flags &= ~STREAM_COUNTED_ENDPOINT
        shared_count_leave(&stream.endpoint.state.active)
        stream.endpoint.stats[stream.worker.core.index][ENDPOINT_RQ_COMPLETED] += 1
