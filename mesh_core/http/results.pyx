"""What attempts of requests tell of an endpoint; the contract stands in results.pxd."""

from libc.stdint cimport uint32_t, uint64_t
from mesh_core.http.stream cimport STREAM_RESPONDED
from mesh_core.http1.grammar cimport equals_ignoring_case
from mesh_core.http1.head cimport FIELD_REMOVED, FieldC
from mesh_core.relay.connect_results cimport endpoint_note
from mesh_core.runtime.core cimport core_notify
from mesh_core.telemetry.stats cimport ENDPOINT_ATTEMPT_ANSWERED, ENDPOINT_ATTEMPT_ERROR, ENDPOINT_ATTEMPT_FAILED
from mesh_core.upstream.endpoint_state cimport UNHEALTHY_ACTIVE, endpoint_mark
from mesh_core.upstream.outlier_detection cimport (
    RESULT_ANSWERED, RESULT_ERROR, RESULT_GATEWAY_ERROR, RESULT_LOCAL_FAILURE, OutlierResult,
    outlier_is_moved_by_success,
)

cdef enum:
    TAKE_OUT_BYTES = 35

# Source: Envoy, "Health checking", fast failure.
cdef const char* TAKE_OUT = b"x-envoy-immediate-health-check-fail"


cdef void endpoint_answered(StreamC* stream, uint16_t status) noexcept nogil:
    cdef uint64_t* stats = stream.endpoint.stats[stream.worker.core.index]
    if status < 500:
        stats[ENDPOINT_ATTEMPT_ANSWERED] += 1
        if stream.cluster.outlier.enabled and outlier_is_moved_by_success(stream.endpoint.state):
            note(stream, RESULT_ANSWERED)
    else:
        stats[ENDPOINT_ATTEMPT_ERROR] += 1
        note(stream, RESULT_GATEWAY_ERROR if 502 <= status <= 504 else RESULT_ERROR)


cdef void endpoint_heed_answer(StreamC* stream, HeadC* head, const uint8_t* data) noexcept nogil:
    cdef FieldC* field
    cdef bint asked = False
    cdef uint32_t index
    for index in range(head.field_count):
        field = &head.fields[index]
        if field.name.size == TAKE_OUT_BYTES and equals_ignoring_case(
                data + field.name.at, <const uint8_t*>TAKE_OUT, TAKE_OUT_BYTES):
            field.flags |= FIELD_REMOVED
            asked = True
    if asked and endpoint_mark(stream.cluster.state, stream.endpoint.state, UNHEALTHY_ACTIVE, True):
        # The control thread tells people, and has its checks know.
        core_notify(stream.worker.core)


cdef void endpoint_failed_request(StreamC* stream, RequestFailure failure) noexcept nogil:
    cdef uint64_t* stats = stream.endpoint.stats[stream.worker.core.index]
    if failure == REQUEST_RESET and was_idle(stream):
        return
    if failure == REQUEST_MALFORMED:
        # It is there, and does not work.
        stats[ENDPOINT_ATTEMPT_ERROR] += 1
        note(stream, RESULT_GATEWAY_ERROR)
    else:
        stats[ENDPOINT_ATTEMPT_FAILED] += 1
        note(stream, RESULT_LOCAL_FAILURE)


cdef void note(StreamC* stream, OutlierResult result) noexcept nogil:
    endpoint_note(stream.worker.core, stream.cluster, stream.endpoint, result)


cdef bint was_idle(const StreamC* stream) noexcept nogil:
    """Whether the attempt was made over a connection out of the pool, and nothing of an answer has come."""
    return not stream.flags & STREAM_RESPONDED and stream.client != NULL and stream.client.requests > 1 and (
        not stream.client.input.size)
