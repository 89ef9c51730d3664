"""A TLS handshake on one side of a connection, whichever side that is. Worker thread, no GIL.

Its steps are slow tasks: a turn of the reactor computes one, so a handshake delays others by its own cost at most.
"""

from mesh_core.relay.connection cimport ConnectionC
from mesh_core.relay.relay cimport SideC
from mesh_core.tls.context cimport TlsContextC
from mesh_core.tls.openssl cimport SSL_SESSION

cdef enum HandshakeResult:
    HANDSHAKE_DONE
    HANDSHAKE_FAILED           # refused by us or by the peer; an alert is on its way, and the session says why
    HANDSHAKE_CUT              # the peer's connection ended or was reset


# Shake hands on `side`, which is watched already; then call `connection.handshake_done`. The caller sets that and the
# timer, and owns the side's events again afterwards. Ends the connection when memory is exhausted.
cdef void handshake_begin(
    ConnectionC* connection, SideC* side, const TlsContextC* context, SSL_SESSION** kept
) noexcept nogil
