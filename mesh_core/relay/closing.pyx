"""Closing one side; the contract stands in closing.pxd."""

from mesh_core.includes.linux cimport close
from mesh_core.net.sockets cimport socket_close_reset
from mesh_core.relay.relay cimport side_clear
from mesh_core.relay.tls_handshake cimport handshake_cancel
from mesh_core.runtime.reactor cimport reactor_ignore
from mesh_core.tls.session cimport tls_destroy


cdef void side_close(CoreC* core, SideC* side, bint reset) noexcept nogil:
    side.source.on_event = reactor_ignore
    if side.source.fd >= 0:
        if reset:
            socket_close_reset(side.source.fd)
        else:
            close(side.source.fd)
        side.source.fd = -1
    side_clear(core, side)
    handshake_cancel(core, side)
    tls_destroy(side.tls)
    side.tls = NULL
