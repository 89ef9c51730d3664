"""What attempts at an endpoint tell of it, to the balancer and to outlier detection.

Worker thread, no GIL.
"""

from libc.stdint cimport int64_t
from mesh_core.relay.connection cimport ConnectionC


# It accepted a connection, after so many microseconds.
cdef void endpoint_connected(ConnectionC* connection, int64_t duration_us) noexcept nogil

# It is ready for bytes, its handshake included.
cdef void endpoint_opened(ConnectionC* connection) noexcept nogil

# The attempt failed, and that is the endpoint's doing.
cdef void endpoint_failed(ConnectionC* connection) noexcept nogil
