"""Requests that wait for a connection; the contract stands in waiting.pxd."""

from libc.stdint cimport uint32_t
from mesh_core.http.stream cimport STREAM_COUNTED_PENDING, STREAM_QUEUED, HttpClientC
from mesh_core.runtime.reactor cimport reactor_queue_task
from mesh_core.snapshot.shared_count cimport shared_count_enter, shared_count_leave
from mesh_core.telemetry.stats cimport CLUSTER_RQ_PENDING_OVERFLOW


cdef bint waiting_admit(StreamC* stream) noexcept nogil:
    if stream.flags & STREAM_COUNTED_PENDING:
        return True
    if not shared_count_enter(&stream.cluster.state.pending_requests, stream.cluster.max_pending_requests):
        stream.cluster.stats[stream.worker.core.index][CLUSTER_RQ_PENDING_OVERFLOW] += 1
        return False
    stream.flags |= STREAM_COUNTED_PENDING
    return True


cdef void waiting_leave(StreamC* stream) noexcept nogil:
    if stream.flags & STREAM_QUEUED:
        leave_queue(stream)
    if stream.flags & STREAM_COUNTED_PENDING:
        stream.flags &= ~<uint32_t>STREAM_COUNTED_PENDING
        shared_count_leave(&stream.cluster.state.pending_requests)


cdef bint waiting_join(StreamC* stream) noexcept nogil:
    cdef HttpWorkerC* worker = stream.worker
    cdef const HttpClientC* client = worker.clients
    while client != NULL and (client.upstream.cluster.state != stream.cluster.state or client.stream == stream):
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


cdef void waiting_wake(HttpWorkerC* worker, const ClusterStateC* cluster) noexcept nogil:
    """The first of them tries in the next turn; should it not need the place after all, that wakes the next one."""
    cdef StreamC* stream = worker.waiting
    while stream != NULL and stream.cluster.state != cluster:
        stream = stream.next_waiting
    if stream == NULL:
        return
    leave_queue(stream)
    stream.task.run = worker.handlers.on_turn
    stream.task.owner = stream
    reactor_queue_task(&worker.core.reactor, &stream.task)
