"""Closing one side of whatever it belongs to. Worker thread, no GIL."""

from mesh_core.relay.side cimport SideC
from mesh_core.runtime.core cimport CoreC


# Close its socket, with a reset if need be, and forget what it has queued and its TLS session; its handler sees nothing
# any more. Again is allowed.
cdef void side_close(CoreC* core, SideC* side, bint reset) noexcept nogil
