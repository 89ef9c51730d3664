"""What attempts of requests tell of an endpoint; the contract stands in results.pxd."""

from libc.stdint cimport uint64_t
from mesh_core.http.stream cimport STREAM_RESPONDED
from mesh_core.telemetry.stats cimport ENDPOINT_ATTEMPT_ANSWERED, ENDPOINT_ATTEMPT_ERROR, ENDPOINT_ATTEMPT_FAILED


cdef void endpoint_answered(StreamC* stream, uint16_t status) noexcept nogil:
    cdef uint64_t* stats = stream.endpoint.stats[stream.worker.core.index]
    if status < 500:
        stats[ENDPOINT_ATTEMPT_ANSWERED] += 1
    else:
        stats[ENDPOINT_ATTEMPT_ERROR] += 1


cdef void endpoint_failed_request(StreamC* stream, RequestFailure failure) noexcept nogil:
    if failure == REQUEST_RESET and was_idle(stream):
        return
    stream.endpoint.stats[stream.worker.core.index][ENDPOINT_ATTEMPT_FAILED] += 1


cdef bint was_idle(const StreamC* stream) noexcept nogil:
    """Whether the attempt was made over a connection out of the pool, and nothing of an answer has come."""
    return not stream.flags & STREAM_RESPONDED and stream.client != NULL and stream.client.requests > 1 and (
        not stream.client.input.size)
