"""Choosing the endpoint for one connection; the contract stands in pick.pxd."""


cdef EndpointC* cluster_pick(const ClusterC* cluster, uint32_t worker, const PickContextC* context) noexcept nogil:
    cdef EndpointC* endpoint = NULL
    cdef uint32_t _attempt
    for _attempt in range(context.tried_count + 1):
        endpoint = cluster.balancer.pick(cluster, cluster.balancer_state[worker], context)
        if not was_tried(context, endpoint):
            break
    return endpoint


cdef inline bint was_tried(const PickContextC* context, const EndpointC* endpoint) noexcept nogil:
    cdef uint32_t index
    for index in range(context.tried_count):
        if context.tried[index] == endpoint:
            return True
    return False
