"""The phase in which a relayed connection waits for its upstream. Worker thread, no GIL."""

from mesh_core.relay.connection cimport ConnectionC


# Open an upstream of the connection's cluster, then begin to relay.
cdef void connection_connect(ConnectionC* connection) noexcept nogil
