"""The last phase of a connection whose peer has still to read what we said: a close, now, could overtake it.

Worker thread, no GIL.
"""

from mesh_core.relay.connection cimport ConnectionC


# Send the downstream what waits for it and our end of stream, drop what it says, and end the connection once it has
# ended its own, or after a second without progress (Envoy's delayed_close_timeout): with a reset if flags say that it
# failed. Nothing but the downstream is open.
cdef void connection_linger(ConnectionC* connection) noexcept nogil
