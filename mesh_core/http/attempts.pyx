"""A request's attempts; the contract stands in attempts.pxd."""

from libc.stdint cimport uint32_t, uint64_t
from mesh_core.http.stream cimport AttemptsC
from mesh_core.includes.atomic cimport load_relaxed_u64
from mesh_core.runtime.memory cimport memory_alloc, memory_free
from mesh_core.runtime.reactor cimport (
    reactor_cancel_task, reactor_cancel_timer, reactor_queue_task, reactor_set_timer,
)
from mesh_core.snapshot.shared_count cimport shared_count_enter, shared_count_leave
from mesh_core.telemetry.stats cimport CLUSTER_CX_RETRY_SUCCESS, CLUSTER_RQ_RETRY_SUCCESS, CLUSTER_RQ_TOTAL
from mesh_core.upstream.endpoint_state cimport ClusterStateC
from mesh_core.upstream.retry cimport ATTEMPTS_MOST, retry_active, retry_charge, retry_enter, retry_refund


cdef bint attempts_note(StreamC* stream) noexcept nogil:
    cdef AttemptsC* attempts = stream.attempts
    if attempts == NULL:
        attempts = <AttemptsC*>memory_alloc(sizeof(AttemptsC))
        if attempts == NULL:
            return False
        stream.attempts = attempts
        attempts.timer.owner = attempts.task.owner = stream
        attempts.timer.fire = attempts.task.run = stream.worker.handlers.on_retry
    if attempts.tried_count < ATTEMPTS_MOST:
        attempts.tried[attempts.tried_count] = stream.endpoint
        attempts.tried_count += 1
    return True


cdef AttemptPlace attempts_enter(StreamC* stream) noexcept nogil:
    cdef uint64_t active = retry_active(stream.cluster.state.requests)
    if not enter(stream, active):
        return PLACE_LATER
    stream.attempts.counted = True
    if retry_charge(stream.retry, stream.cluster.state, requests_total(stream), active):
        return PLACE_TAKEN
    attempts_leave(stream)
    return PLACE_NONE


cdef bint enter(StreamC* stream, uint64_t active) noexcept nogil:
    """Take a place within the circuit breaker and one within the budget, or none."""
    cdef ClusterStateC* state = stream.cluster.state
    cdef uint64_t* breaker = &state.breaker_retries[stream.priority]
    if not shared_count_enter(breaker, stream.cluster.limits[stream.priority].max_retries):
        return False
    if retry_enter(stream.retry, &state.request_retries, active):
        return True
    shared_count_leave(breaker)
    return False


cdef uint64_t requests_total(const StreamC* stream) noexcept nogil:
    cdef uint64_t total = 0
    cdef uint32_t worker
    for worker in range(stream.snapshot.worker_count):
        total += load_relaxed_u64(&stream.cluster.stats[worker][CLUSTER_RQ_TOTAL])
    return total


cdef void attempts_leave(StreamC* stream) noexcept nogil:
    if stream.attempts != NULL and stream.attempts.counted:
        stream.attempts.counted = False
        shared_count_leave(&stream.cluster.state.request_retries)
        shared_count_leave(&stream.cluster.state.breaker_retries[stream.priority])


cdef void attempts_answered(StreamC* stream, bint helped) noexcept nogil:
    cdef AttemptsC* attempts = stream.attempts
    cdef uint64_t* stats = stream.cluster.stats[stream.worker.core.index]
    if attempts == NULL:
        return
    attempts_leave(stream)
    if helped and attempts.retries:
        stats[CLUSTER_RQ_RETRY_SUCCESS] += 1
        if attempts.failure.end == ATTEMPT_NOT_SENT:
            stats[CLUSTER_CX_RETRY_SUCCESS] += 1
        retry_refund(stream.cluster.state, attempts.retries)


cdef void attempts_wait(StreamC* stream, int64_t wait_ms) noexcept nogil:
    cdef AttemptsC* attempts = stream.attempts
    if wait_ms > 0:
        reactor_set_timer(
            &stream.worker.core.reactor, &attempts.timer, stream.worker.core.reactor.now_ms + wait_ms)
    else:
        reactor_queue_task(&stream.worker.core.reactor, &attempts.task)


cdef void attempts_end(StreamC* stream) noexcept nogil:
    cdef AttemptsC* attempts = stream.attempts
    attempts_leave(stream)
    reactor_cancel_timer(&stream.worker.core.reactor, &attempts.timer)
    reactor_cancel_task(&stream.worker.core.reactor, &attempts.task)
    memory_free(attempts)
    stream.attempts = NULL
