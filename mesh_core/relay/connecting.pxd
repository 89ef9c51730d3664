"""The phase in which an endpoint is picked and connected to, and another one when it fails.

Worker thread, no GIL.
"""

from libc.stdint cimport uint16_t
from mesh_core.relay.connection cimport ConnectionC


# Pick an endpoint, connect to it, then begin to relay.
cdef void connection_connect(ConnectionC* connection) noexcept nogil

# The upstream is ready for bytes of ours: begin to relay. Whatever is between the connect and that (a handshake) ends
# in this or in connect_failed.
cdef void connect_succeeded(ConnectionC* connection) noexcept nogil

# The attempt under way has failed, with an errno and the Detail that says what: try again, or end the connection. Every
# failure of an attempt comes here, whatever stage it reached.
cdef void connect_failed(ConnectionC* connection, int error, uint16_t detail) noexcept nogil
