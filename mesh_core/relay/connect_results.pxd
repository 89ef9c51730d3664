"""What attempts at an endpoint tell of it, to the balancer and to outlier detection.

Worker thread, no GIL.
"""

from libc.stdint cimport int64_t
from mesh_core.relay.upstream cimport UpstreamC
from mesh_core.runtime.core cimport CoreC
from mesh_core.snapshot.tables cimport ClusterC, EndpointC
from mesh_core.upstream.outlier_detection cimport OutlierResult


# It accepted a connection, after so many microseconds.
cdef void endpoint_connected(UpstreamC* upstream, int64_t duration_us) noexcept nogil

# It is ready for bytes, its handshake included.
cdef void endpoint_opened(UpstreamC* upstream) noexcept nogil

# The attempt failed, and that is the endpoint's doing.
cdef void endpoint_failed(UpstreamC* upstream) noexcept nogil

# What came of an attempt, for outlier detection.
cdef void endpoint_note(
    CoreC* core, const ClusterC* cluster, EndpointC* endpoint, OutlierResult result
) noexcept nogil
