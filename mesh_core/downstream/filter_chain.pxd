"""The phase in which it is told which of the listener's filter chains a connection belongs to.

Worker thread, no GIL.
"""

from mesh_core.relay.connection cimport ConnectionC


# Find the chain, after a look at the ClientHello where some chain asks for it; then go on to TLS or to connect. What
# was looked at stays in the socket.
cdef void connection_choose_chain(ConnectionC* connection) noexcept nogil
