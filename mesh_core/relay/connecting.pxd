"""The phase in which an endpoint is picked and connected to.

Worker thread, no GIL.
"""

from mesh_core.relay.connection cimport ConnectionC


# Pick an endpoint, connect to it, then begin to relay.
cdef void connection_connect(ConnectionC* connection) noexcept nogil
