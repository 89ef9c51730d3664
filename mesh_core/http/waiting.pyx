"""Requests that wait for a connection; the contract stands in waiting.pxd."""

from libc.stdint cimport uint32_t
from mesh_core.http.stream cimport STREAM_COUNTED_PENDING, STREAM_QUEUED, HttpClientC
from mesh_core.runtime.reactor cimport reactor_queue_task
from mesh_core.snapshot.shared_count cimport shared_count_enter, shared_count_leave
from mesh_core.telemetry.stats cimport CLUSTER_RQ_PENDING_OVERFLOW
from mesh_core.upstream.endpoint_state cimport PRIORITY_HIGH


cdef bint waiting_admit(StreamC* stream) noexcept nogil:
    if stream.flags & STREAM_COUNTED_PENDING:
        return True
    if not shared_count_enter(
            &stream.cluster.state.pending_requests[stream.priority],
            stream.cluster.limits[stream.priority].max_pending_requests):
        stream.cluster.stats[stream.worker.core.index][CLUSTER_RQ_PENDING_OVERFLOW] += 1
        return False
    stream.flags |= STREAM_COUNTED_PENDING
    return True


cdef void waiting_leave(StreamC* stream) noexcept nogil:
    if stream.flags & STREAM_QUEUED:
        leave_queue(stream)
    if stream.flags & STREAM_COUNTED_PENDING:
        stream.flags &= ~<uint32_t>STREAM_COUNTED_PENDING
        shared_count_leave(&stream.cluster.state.pending_requests[stream.priority])


cdef bint waiting_join(StreamC* stream) noexcept nogil:
    cdef HttpWorkerC* worker = stream.worker
    cdef const HttpClientC* client = worker.clients
    while client != NULL and (client.stream == stream or client.upstream.cluster == NULL or not is_of_use(
            stream, client.upstream.cluster.state, client.upstream.priority, endpoint_of(client))):
        client = client.next
    if client == NULL:
        return False
    stream.flags |= STREAM_QUEUED
    stream.next_waiting = NULL
    stream.waiting_link = worker.waiting_end
    worker.waiting_end[0] = stream
    worker.waiting_end = &stream.next_waiting
    return True


cdef void leave_queue(StreamC* stream) noexcept nogil:
    stream.flags &= ~<uint32_t>STREAM_QUEUED
    stream.waiting_link[0] = stream.next_waiting
    if stream.next_waiting != NULL:
        stream.next_waiting.waiting_link = stream.waiting_link
    else:
        stream.worker.waiting_end = stream.waiting_link
    stream.next_waiting = NULL
    stream.waiting_link = NULL


cdef const EndpointStateC* endpoint_of(const HttpClientC* client) noexcept nogil:
    return client.upstream.endpoint.state if client.upstream.endpoint != NULL else NULL


cdef bint is_of_use(
    const StreamC* stream, const ClusterStateC* cluster, uint8_t priority, const EndpointStateC* endpoint
) noexcept nogil:
    """Whether it could use such a connection once it is free, or its place."""
    return stream.cluster.state == cluster and (stream.priority == priority or stream.endpoint.state == endpoint)


cdef void waiting_wake(
    HttpWorkerC* worker, const ClusterStateC* cluster, uint8_t priority, const EndpointStateC* endpoint
) noexcept nogil:
    """It tries in the next turn; should it not need the place after all, that wakes the next one."""
    cdef StreamC* stream = NULL
    cdef StreamC* each = worker.waiting
    while each != NULL and (stream == NULL or stream.priority != PRIORITY_HIGH):
        if is_of_use(each, cluster, priority, endpoint) and (stream == NULL or each.priority == PRIORITY_HIGH):
            stream = each
        each = each.next_waiting
    if stream == NULL:
        return
    leave_queue(stream)
    stream.task.run = stream.handlers.on_turn
    stream.task.owner = stream
    reactor_queue_task(&worker.core.reactor, &stream.task)
