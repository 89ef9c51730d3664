"""Who serves a downstream connection, once its filter chain is known and TLS, if any, is established.

Worker thread, no GIL.
"""

from mesh_core.relay.connection cimport ConnectionC


# Relay bytes, or speak HTTP, as the filter chain says.
cdef void connection_serve(ConnectionC* connection) noexcept nogil
