"""The phase in which a downstream must send its PROXY protocol header.

Worker thread, no GIL.
"""

from mesh_core.relay.connection cimport ConnectionC


# Wait for the header, then go on to the choice of a filter chain. What follows the header stays in the socket.
cdef void connection_await_proxy_header(ConnectionC* connection) noexcept nogil
