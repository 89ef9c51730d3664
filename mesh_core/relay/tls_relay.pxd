"""Moving bytes between two sockets of which one or both speak TLS. Worker thread, no GIL.

One large receive, all of its records decrypted at once, one send. What a receive brought is always read to its end,
so that nothing of it stays in the worker's buffers: what the sink does not take waits in its queue, as in the relay.
"""

from libc.stdint cimport uint8_t
from mesh_core.relay.relay cimport RelayStatus
from mesh_core.relay.side cimport SideC
from mesh_core.runtime.core cimport CoreC


# As relay_move. An end of the source becomes close_notify and, when that has gone, RELAY_ENDED.
cdef RelayStatus tls_relay_move(CoreC* core, SideC* source, SideC* sink, size_t limit) noexcept nogil

# Send what a side's session wants to say: an alert, or a message of the handshake. As relay_send.
cdef RelayStatus tls_relay_output(CoreC* core, SideC* side) noexcept nogil

# One receive from a side with TLS, and all that its records hold, at the begin of `core.plain`: `size` bytes, which may
# come before a failure, or be none with RELAY_WAITING. RELAY_ENDED and RELAY_TRUNCATED tell the end; close_notify only
# sets SIDE_ENDED. What a session answers is sent.
cdef RelayStatus tls_relay_receive(CoreC* core, SideC* source, size_t limit, size_t* size) noexcept nogil

# Send bytes in records, as many of them at once as the buffer holds. As relay_send.
cdef RelayStatus tls_relay_send(CoreC* core, SideC* sink, const uint8_t* data, size_t size) noexcept nogil
