"""Choosing the endpoint for one connection.

First the priority level, then the locality where localities have weights, then the cluster's balancer chooses within
that pool. Worker thread, no GIL.
"""

from libc.stdint cimport int64_t, uint32_t
from mesh_core.includes.atomic cimport load_relaxed_u32
from mesh_core.snapshot.tables cimport ClusterC, EndpointC, PickContextC, PoolC


# The endpoint for a connection on worker `worker`: none of `context.tried` while there is another that may be picked.
# NULL when there is none to go to at all. With accrual, an ejected endpoint whose penalty is over, for one pick.
cdef EndpointC* cluster_pick(const ClusterC* cluster, uint32_t worker, const PickContextC* context) noexcept nogil

# A connect to `endpoint` took `duration_us`; one that failed counts as having taken the connect time-out.
cdef inline void cluster_observe(
    const ClusterC* cluster, EndpointC* endpoint, int64_t duration_us, int64_t now_ms
) noexcept nogil:
    if cluster.balancer.observe != NULL:
        cluster.balancer.observe(&cluster.balancing, endpoint, duration_us, now_ms)


cdef inline bint pick_was_tried(const PickContextC* context, const EndpointC* endpoint) noexcept nogil:
    cdef uint32_t index
    for index in range(context.tried_count):
        if context.tried[index] == endpoint:
            return True
    return False


# Whether this member of `pool` is one to go to: for balancers that come upon members of every kind.
cdef inline bint pick_may_be(const PoolC* pool, const PickContextC* context, const EndpointC* endpoint) noexcept nogil:
    if not pool.panic and load_relaxed_u32(&endpoint.state.unhealthy):
        return False
    return not pick_was_tried(context, endpoint)
