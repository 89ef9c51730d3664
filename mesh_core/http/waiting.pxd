"""Requests that wait for a connection: while one is opened, or because their cluster has as many as it may have.

Who waits for the latter is called when a connection of this worker is free or gone: others' are not seen, so who could
wait for those only is refused at once. Worker thread, no GIL.
"""

from mesh_core.http.stream cimport HttpWorkerC, StreamC
from mesh_core.upstream.endpoint_state cimport ClusterStateC


# Take a place among the cluster's pending requests, unless one is held already; False when there is none.
cdef bint waiting_admit(StreamC* stream) noexcept nogil

# It waits no longer.
cdef void waiting_leave(StreamC* stream) noexcept nogil

# Its cluster has all the connections that it may have: wait for one of them. False when this worker has none of them.
cdef bint waiting_join(StreamC* stream) noexcept nogil

# A connection of this cluster is free, or there is room for another one: soon let those who wait try again.
cdef void waiting_wake(HttpWorkerC* worker, const ClusterStateC* cluster) noexcept nogil
