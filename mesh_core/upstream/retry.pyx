"""Back-off and retry budget; the contract stands in retry.pxd."""

from mesh_core.includes.atomic cimport load_relaxed_u64
from mesh_core.snapshot.shared_count cimport shared_count_enter, shared_count_leave
from mesh_core.upstream.endpoint_state cimport PRIORITY_COUNT


cdef uint32_t retry_interval_ms(const RetryPolicyC* policy, uint32_t retry, uint64_t random) noexcept nogil:
    # 2 ** 4 is past the growth already, whatever the number of retries.
    cdef uint64_t growth = min(<uint64_t>1 << min(retry - 1, <uint32_t>4), <uint64_t>INTERVAL_GROWTH)
    return <uint32_t>(random % (growth * policy.base_interval_ms))


cdef uint64_t cluster_connections(const ClusterStateC* cluster) noexcept nogil:
    """Of all priorities: they share the budget."""
    cdef uint64_t connections = 0
    cdef int priority
    for priority in range(PRIORITY_COUNT):
        connections += load_relaxed_u64(&cluster.connections[priority])
    return connections


cdef bint retry_enter(const RetryPolicyC* policy, ClusterStateC* cluster) noexcept nogil:
    cdef uint64_t share = cluster_connections(cluster) * policy.budget_percent // 100
    cdef uint64_t limit = max(share, <uint64_t>policy.min_concurrency)
    # To a shared count, 0 means no limit.
    return limit > 0 and shared_count_enter(&cluster.retries, limit)


cdef void retry_leave(ClusterStateC* cluster) noexcept nogil:
    shared_count_leave(&cluster.retries)
