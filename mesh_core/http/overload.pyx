"""What a proxy that is short of something does with requests; the contract stands in overload.pxd."""

from libc.stdint cimport uint32_t, uint64_t
from mesh_core.http.local_reply cimport stream_reply_status
from mesh_core.http.stream cimport STREAM_LAST
from mesh_core.includes.atomic cimport load_relaxed_u32
from mesh_core.routing.route cimport ROUTE_FORWARD
from mesh_core.snapshot.overload_state cimport (
    OVERLOAD_REFUSE_DEFAULT, OVERLOAD_REFUSE_HIGH, OVERLOAD_REFUSE_LOW, OVERLOAD_STOP_KEEPALIVE,
)
from mesh_core.telemetry.response_flags cimport DETAIL_OVERLOAD, FLAG_OVERLOAD
from mesh_core.telemetry.stats cimport LISTENER_CX_OVERLOAD_LAST, LISTENER_RQ_OVERLOAD
from mesh_core.upstream.endpoint_state cimport PRIORITY_HIGH, PRIORITY_LOW


cdef bint overload_admits(StreamC* stream) noexcept nogil:
    cdef uint32_t actions = load_relaxed_u32(stream.snapshot.overload)
    cdef uint64_t* stats = stream.connection.listener.stats[stream.worker.core.index]
    if actions & OVERLOAD_STOP_KEEPALIVE and not stream.flags & STREAM_LAST:
        stats[LISTENER_CX_OVERLOAD_LAST] += 1
        stream.flags |= STREAM_LAST
    if stream.route.action != ROUTE_FORWARD or not actions & refusal_of(stream.route.priority):
        return True
    stats[LISTENER_RQ_OVERLOAD] += 1
    stream_reply_status(stream, 503, FLAG_OVERLOAD, DETAIL_OVERLOAD)
    return False


cdef uint32_t refusal_of(int priority) noexcept nogil:
    if priority == PRIORITY_HIGH:
        return OVERLOAD_REFUSE_HIGH
    return OVERLOAD_REFUSE_LOW if priority == PRIORITY_LOW else OVERLOAD_REFUSE_DEFAULT
