"""Where a connection to an endpoint is counted: at its cluster, for the circuit breakers and the retry budget, and at
its endpoint, for balancers and statistics.

Every count is entered and left here, and `upstream_leave` leaves whatever is held: no way in which a connection ends
can forget one. Worker thread, no GIL.
"""

from mesh_core.relay.upstream cimport UpstreamC
from mesh_core.snapshot.tables cimport EndpointC

# What UpstreamC.counts says is held.
cdef enum:
    COUNTED_CONNECTION = 1 << 0  # ClusterStateC.connections
    COUNTED_PENDING = 1 << 1   # ClusterStateC.pending
    COUNTED_RETRY = 1 << 2     # ClusterStateC.retries
    COUNTED_ENDPOINT = 1 << 3  # EndpointStateC.active, and the gauges of cluster and endpoint


cdef enum Admission:
    ADMITTED
    OVER_CONNECTIONS
    OVER_PENDING


# Take a place under the cluster's circuit breakers, as a connection that is not open yet. What refuses counts that.
cdef Admission upstream_admit(UpstreamC* upstream) noexcept nogil

# Take a place under the cluster's retry budget, unless one is held already; False when there is none.
cdef bint upstream_admit_retry(UpstreamC* upstream) noexcept nogil

# An attempt at `endpoint` begins; it ends without an open upstream.
cdef void upstream_attempt_begins(UpstreamC* upstream, EndpointC* endpoint) noexcept nogil
cdef void upstream_attempt_ends(UpstreamC* upstream) noexcept nogil

# The upstream is open: it is neither pending nor a retry any more.
cdef void upstream_opened(UpstreamC* upstream) noexcept nogil

# It ends: leave every count that it still holds.
cdef void upstream_leave(UpstreamC* upstream) noexcept nogil
