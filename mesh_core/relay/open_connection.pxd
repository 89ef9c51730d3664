"""A connection whose both sides are open: events move bytes, half-closes pass through, and it ends.

Worker thread, no GIL. The last phase, and the hot path: see `relay` and `tls_relay` for what moves the bytes.
"""

from mesh_core.relay.connection cimport ConnectionC


# The upstream is connected: begin to relay. All handlers and the timer are replaced.
cdef void connection_opened(ConnectionC* connection) noexcept nogil
