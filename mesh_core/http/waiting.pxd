"""Requests that wait for a connection: while one is opened, or because their cluster has as many as it may have.

Who waits for the latter is called when a connection of this worker is free or gone: others' are not seen, so who could
wait for those only is refused at once. Worker thread, no GIL.
"""

from libc.stdint cimport uint8_t
from mesh_core.http.stream cimport HttpWorkerC, StreamC
from mesh_core.upstream.endpoint_state cimport ClusterStateC, EndpointStateC


# Take a place among the cluster's pending requests, unless one is held already; False when there is none.
cdef bint waiting_admit(StreamC* stream) noexcept nogil

# It waits no longer.
cdef void waiting_leave(StreamC* stream) noexcept nogil

# Its cluster has all the connections that it may have for its priority: wait for one of them, or for one of others to
# its endpoint. False when this worker has no such connection.
cdef bint waiting_join(StreamC* stream) noexcept nogil

# A connection of this cluster that was opened for `priority` is free, at `endpoint`, or gone, and there is room for
# another one: soon let one of those who wait try again, high priority first.
cdef void waiting_wake(
    HttpWorkerC* worker, const ClusterStateC* cluster, uint8_t priority, const EndpointStateC* endpoint
) noexcept nogil
