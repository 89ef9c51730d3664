"""Where a connection to an endpoint is counted; the contract stands in upstream_counts.pxd."""

from libc.stdint cimport uint32_t
from mesh_core.includes.atomic cimport fetch_add_u64
from mesh_core.snapshot.shared_count cimport shared_count_enter, shared_count_leave
from mesh_core.snapshot.tables cimport LimitsC
from mesh_core.telemetry.stats cimport (
    CLUSTER_CX_DESTROYED, CLUSTER_CX_OVERFLOW, CLUSTER_CX_PENDING_OVERFLOW, CLUSTER_CX_TOTAL, ENDPOINT_CX_DESTROYED,
    ENDPOINT_CX_TOTAL,
)
from mesh_core.upstream.endpoint_state cimport ClusterStateC
from mesh_core.upstream.retry cimport retry_active, retry_enter


cdef Admission upstream_admit(UpstreamC* upstream) noexcept nogil:
    cdef ClusterStateC* state = upstream.cluster.state
    cdef uint32_t index = upstream.core.index
    cdef const LimitsC* limits = &upstream.cluster.limits[upstream.priority]
    if not shared_count_enter(&state.connections[upstream.priority], limits.max_connections):
        upstream.cluster.stats[index][CLUSTER_CX_OVERFLOW] += 1
        return OVER_CONNECTIONS
    upstream.counts |= COUNTED_CONNECTION
    if upstream.requests:
        # What is pending there are requests; see mesh_core.http.waiting.
        return ADMITTED
    if not shared_count_enter(&state.pending[upstream.priority], limits.max_pending):
        upstream.cluster.stats[index][CLUSTER_CX_PENDING_OVERFLOW] += 1
        return OVER_PENDING
    upstream.counts |= COUNTED_PENDING
    return ADMITTED


cdef bint upstream_admit_retry(UpstreamC* upstream) noexcept nogil:
    cdef ClusterStateC* state = upstream.cluster.state
    if not upstream.counts & COUNTED_RETRY:
        if not retry_enter(&upstream.cluster.retry, &state.retries, retry_active(state.connections)):
            return False
        upstream.counts |= COUNTED_RETRY
    return True


cdef void upstream_attempt_begins(UpstreamC* upstream, EndpointC* endpoint) noexcept nogil:
    cdef uint32_t index = upstream.core.index
    upstream.endpoint = endpoint
    upstream.attempts += 1
    upstream.counts |= COUNTED_ENDPOINT
    if not upstream.requests:
        fetch_add_u64(&endpoint.state.active, 1)
    upstream.cluster.stats[index][CLUSTER_CX_TOTAL] += 1
    endpoint.stats[index][ENDPOINT_CX_TOTAL] += 1


cdef void upstream_attempt_ends(UpstreamC* upstream) noexcept nogil:
    cdef uint32_t index = upstream.core.index
    upstream.counts &= ~COUNTED_ENDPOINT
    if not upstream.requests:
        shared_count_leave(&upstream.endpoint.state.active)
    upstream.cluster.stats[index][CLUSTER_CX_DESTROYED] += 1
    upstream.endpoint.stats[index][ENDPOINT_CX_DESTROYED] += 1


cdef void upstream_opened(UpstreamC* upstream) noexcept nogil:
    if upstream.counts & COUNTED_PENDING:
        upstream.counts &= ~COUNTED_PENDING
        shared_count_leave(&upstream.cluster.state.pending[upstream.priority])
    if upstream.counts & COUNTED_RETRY:
        upstream.counts &= ~COUNTED_RETRY
        shared_count_leave(&upstream.cluster.state.retries)


cdef void upstream_leave(UpstreamC* upstream) noexcept nogil:
    upstream_opened(upstream)
    if upstream.counts & COUNTED_ENDPOINT:
        upstream_attempt_ends(upstream)
    if upstream.counts & COUNTED_CONNECTION:
        shared_count_leave(&upstream.cluster.state.connections[upstream.priority])
    upstream.counts = 0
