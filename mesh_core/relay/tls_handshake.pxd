"""A TLS handshake on one side, of whatever it belongs to. Worker thread, no GIL.

Its steps are slow tasks: a turn of the reactor computes one, so a handshake delays others by its own cost at most.
"""

from mesh_core.relay.side cimport HandshakeC, SideC, handshake_done_fn
from mesh_core.runtime.core cimport CoreC
from mesh_core.tls.context cimport TlsContextC
from mesh_core.tls.openssl cimport SSL_SESSION

cdef enum HandshakeResult:
    HANDSHAKE_DONE
    HANDSHAKE_FAILED           # refused by us or by the peer; an alert is on its way, and the session says why
    HANDSHAKE_CUT              # the peer's connection ended or was reset
    HANDSHAKE_NO_MEMORY


# Shake hands on `side`, which is watched already; then call `done` with `owner`, which owns the side's handler and its
# source's owner again from there on.
cdef void handshake_begin(
    CoreC* core, SideC* side, const TlsContextC* context, SSL_SESSION** kept, void* owner, handshake_done_fn done
) noexcept nogil

# Forget it, if there is one.
cdef void handshake_cancel(CoreC* core, SideC* side) noexcept nogil
