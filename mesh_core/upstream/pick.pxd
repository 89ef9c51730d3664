"""Choosing the endpoint for one connection.

Worker thread, no GIL.
"""

from libc.stdint cimport uint32_t
from mesh_core.snapshot.tables cimport ClusterC, EndpointC, PickContextC


# The endpoint that the cluster's balancer picks on worker `worker`: none of `context.tried` while there is another.
# NULL when there is none to go to at all.
cdef EndpointC* cluster_pick(const ClusterC* cluster, uint32_t worker, const PickContextC* context) noexcept nogil
