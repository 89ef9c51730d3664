"""Moving bytes between two sockets of which one or both speak TLS. Worker thread, no GIL.

One large receive, all of its records decrypted at once, one send. What a receive brought is always read to its end,
so that nothing of it stays in the worker's buffers: what the sink does not take waits in its queue, as in the relay.
"""

from mesh_core.relay.relay cimport RelayStatus, SideC
from mesh_core.runtime.core cimport CoreC


# As relay_move. An end of the source becomes close_notify and, when that has gone, RELAY_ENDED.
cdef RelayStatus tls_relay_move(CoreC* core, SideC* source, SideC* sink, size_t limit) noexcept nogil

# Send what a side's session wants to say: an alert, or a message of the handshake. As relay_send.
cdef RelayStatus tls_relay_output(CoreC* core, SideC* side) noexcept nogil
