"""Connections whose endpoint is gone, or is known to be ill.

Worker thread, no GIL.
"""

from mesh_core.relay.connection cimport ConnectionTableC


# Reset the connections to endpoints with a mark that their cluster's `close_on` names.
cdef void connections_close_lost(ConnectionTableC* table) noexcept nogil
