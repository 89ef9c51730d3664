"""The phase in which TLS with the downstream is established. Worker thread, no GIL."""

from mesh_core.relay.connection cimport ConnectionC


# Terminate TLS as the filter chain says, then go on to connect.
cdef void connection_accept_tls(ConnectionC* connection) noexcept nogil
